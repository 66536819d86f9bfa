#pragma once

#include <cstdint>

namespace rdmasync::replica {

/// Whether the TCP connection from 127.0.0.1:`peer_port` to 127.0.0.1:`local_port` has this process
/// at its other end too.
bool is_own_connection(std::uint16_t peer_port, std::uint16_t local_port);

}  // namespace rdmasync::replica
