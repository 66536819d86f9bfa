#include "rdma/emulated/mapping.h"

#include <sys/mman.h>

#include "rdma/system.h"
#include "rdmasync/error.h"

namespace rdmasync::rdma {

Mapping::Mapping(std::size_t bytes)
    : data_(mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)),
      bytes_(bytes) {
  if (data_ == MAP_FAILED) {
    throw Error(Errc::kResources, with_errno("cannot reserve address space"));
  }
}

Mapping::~Mapping() {
  munmap(data_, bytes_);
}

}  // namespace rdmasync::rdma
