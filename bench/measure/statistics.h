#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace rdmasync::bench {

/// Of several runs of one thing.
struct Spread {
  double least = 0;
  double median = 0;
  double most = 0;
};

/// Zeros for none.
inline Spread spread_of(std::vector<double> values) {
  if (values.empty()) {
    return {};
  }
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values.at(middle) : (values.at(middle - 1) + values.at(middle)) / 2;
  return {values.front(), median, values.back()};
}

/// Exact ones, from every value.
class Percentiles {
 public:
  explicit Percentiles(std::vector<float> values) : values_(std::move(values)) {
    std::sort(values_.begin(), values_.end());
  }

  /// The least value that a share of all (0 to 1) is not above; 0 if there are none.
  double at(double share) const {
    if (values_.empty()) {
      return 0;
    }
    const auto rank =
        static_cast<std::size_t>(std::ceil(share * static_cast<double>(values_.size())));
    return values_[std::clamp<std::size_t>(rank, 1, values_.size()) - 1];
  }

 private:
  std::vector<float> values_;
};

}  // namespace rdmasync::bench
