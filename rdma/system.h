#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

/// The little that the fabrics ask of the operating system in more than one place.
namespace rdmasync::rdma {

/// "<what>: <text of errno>", with errno as it is now.
std::string with_errno(std::string_view what);

/// Has the fresh pages among those of the bytes come at once, so that writing there takes no page
/// faults; what is there stays. A kernel before 5.14 leaves it as it is. Any thread.
void fault_in(std::span<std::byte> bytes) noexcept;

}  // namespace rdmasync::rdma
