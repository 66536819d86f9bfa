#include "rdma/emulated/fabric.h"

#include <functional>
#include <utility>

namespace rdmasync::rdma {
namespace {

class ReadableRegion final : public MemoryRegion {
 public:
  ReadableRegion(std::shared_ptr<RegionTable> table, std::span<const std::byte> bytes)
      : table_(std::move(table)), rkey_(table_->add(bytes)) {}
  ~ReadableRegion() override { table_->remove(rkey_); }
  PartKeys rkeys() const override { return {.first = rkey_}; }

 private:
  std::shared_ptr<RegionTable> table_;
  std::uint32_t rkey_;
};

// Not in the table: no peer may read it.
class WritableRegion final : public MemoryRegion {
 public:
  explicit WritableRegion(std::span<std::byte> bytes) : bytes_(bytes) {}
  PartKeys rkeys() const override { return {}; }
  bool covers(const std::byte* begin, std::size_t length) const {
    const std::less_equal<> at_or_before;
    return at_or_before(bytes_.data(), begin) && length <= bytes_.size() &&
           at_or_before(begin, bytes_.data() + (bytes_.size() - length));
  }

 private:
  std::span<std::byte> bytes_;
};

}  // namespace

std::unique_ptr<MemoryRegion> EmulatedFabric::register_memory(std::span<std::byte> bytes,
                                                              Access access) {
  if (access == Access::kLocalWrite) {
    return std::make_unique<WritableRegion>(bytes);
  }
  return std::make_unique<ReadableRegion>(regions_, bytes);
}

std::optional<Error> check_local(const Read& read) {
  const auto* region = dynamic_cast<const WritableRegion*>(read.local);
  if (region != nullptr && region->covers(read.into, read.length)) {
    return std::nullopt;
  }
  return Error(Errc::kUsage, "a read was posted into memory that is not registered for it");
}

}  // namespace rdmasync::rdma
