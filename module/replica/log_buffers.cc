#include "module/replica/log_buffers.h"

#include <algorithm>

namespace rdmasync::replica {

namespace {
constexpr std::size_t kBlock = 16U << 20;
}

std::byte* LogBuffers::room(std::size_t size) {
  if (size_ - used_ < size) {
    region_.reset();
    used_ = 0;
    size_ = std::max(kBlock, size);
    block_.reset(new std::byte[size_]);  // not zeroed: a read fills it
    region_ = fabric_.register_memory({block_.get(), size_}, rdma::Access::kLocalWrite);
  }
  return block_.get() + used_;
}

}  // namespace rdmasync::replica
