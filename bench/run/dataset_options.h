#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "bench/measure/dataset.h"

namespace rdmasync::bench {

/// Options of a command that say which dataset: a named one, and what shall be different in it.
class DatasetOptions {
 public:
  explicit DatasetOptions(CLI::App& command);

  /// After parsing.
  Dataset chosen() const;

 private:
  std::string name_ = "original";
  Dataset different_;
  CLI::Option* large_count_;
  CLI::Option* large_size_;
  CLI::Option* small_keys_;
  CLI::Option* small_size_;
  CLI::Option* elements_;
};

}  // namespace rdmasync::bench
