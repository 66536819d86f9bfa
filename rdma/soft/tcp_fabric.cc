#include <memory>
#include <string_view>

#include "rdma/soft/soft_fabric.h"
#include "rdma/soft/tcp_connection.h"
#include "rdma/soft/tcp_listener.h"

namespace rdmasync::rdma {
namespace {

class TcpFabric final : public SoftFabric {
 public:
  std::string_view name() const override { return "tcp"; }

  std::unique_ptr<Listener> listen(const ListenOptions& options) override {
    return listen_tcp(options, regions());
  }

  std::unique_ptr<Connection> connect(const ConnectOptions& options) override {
    return connect_tcp(options);
  }
};

}  // namespace

std::unique_ptr<Fabric> make_tcp_fabric() {
  return std::make_unique<TcpFabric>();
}

}  // namespace rdmasync::rdma
