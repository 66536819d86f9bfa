#include <memory>
#include <string_view>

#include "rdma/emulated/fabric.h"
#include "rdma/tcp/connection.h"
#include "rdma/tcp/listener.h"

namespace rdmasync::rdma {
namespace {

class TcpFabric final : public EmulatedFabric {
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
