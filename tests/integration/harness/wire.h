#pragma once

#include <string>

/// The wire of scripts/rdma-topology, which tests may spoil.
namespace rdmasync::test {

bool has_wire();

/// What a server is reached at by the wire, its RDMA device and itself.
std::string address_on_wire();

/// Runs `scripts/rdma-topology OPTION`. Throws if that fails.
void wire(const std::string& option);

}  // namespace rdmasync::test
