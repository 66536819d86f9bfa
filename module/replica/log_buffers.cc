#include "module/replica/log_buffers.h"

#include <algorithm>
#include <utility>

namespace rdmasync::replica {

namespace {
constexpr std::size_t kBlock = 16U << 20;
}

std::byte* LogBuffers::room(std::size_t size) {
  if (size_ - used_ < size) {
    region_.reset();
    used_ = 0;
    size_ = std::max(kBlock, size);
    blocks_->emplace_back(new std::byte[size_]);  // not zeroed: a read fills it
    region_ = fabric_.register_memory({blocks_->back().get(), size_}, rdma::Access::kLocalWrite);
  }
  return blocks_->back().get() + used_;
}

std::shared_ptr<const void> LogBuffers::take() {
  region_.reset();
  return std::exchange(blocks_, nullptr);
}

}  // namespace rdmasync::replica
