#include "module/replica/record_store.h"

#include <algorithm>
#include <utility>

namespace rdmasync::replica {

namespace {
constexpr std::size_t kBlock = 16U << 20;
}

std::byte* RecordStore::room(std::size_t size) {
  if (block_.size - used_ < size) {
    if (block_.bytes) full_.push_back(std::move(block_.bytes));
    block_.region.reset();
    block_.size = std::max(kBlock, size);
    block_.bytes.reset(new std::byte[block_.size]);  // not zeroed: a read fills it
    block_.region =
        fabric_.register_memory({block_.bytes.get(), block_.size}, rdma::Access::kLocalWrite);
    used_ = 0;
  }
  return block_.bytes.get() + used_;
}

}  // namespace rdmasync::replica
