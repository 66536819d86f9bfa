#include "bench/measure/transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "bench/measure/get_set.h"

namespace rdmasync::bench {
namespace {

/// By a command to the replica, which then gets the data itself.
class ServerTransfer : public Transfer {
 public:
  ServerTransfer(const char* command, const Ends& ends)
      : command_(command), ends_(ends), replica_(ends.replica()) {}

  void start() override {
    replica_.must(command_, ends_.master_address, std::to_string(ends_.master_port));
  }

  bool caught_up(double master_offset) override {
    return replica_.info("replication").number("slave_repl_offset") >= master_offset;
  }

 protected:
  Client& replica() { return replica_; }

  bool link_up(const Fields& replication) const {
    return replication.text("master_link_status") == "up" &&
           replication.number("master_port") == ends_.master_port;
  }

 private:
  const char* command_;
  Ends ends_;
  Client replica_;
};

class RdmasyncTransfer : public ServerTransfer {
 public:
  explicit RdmasyncTransfer(const Ends& ends) : ServerTransfer("RDMASYNC.SLAVEOF", ends) {}

  Stage poll() override {
    const Fields status = replica().status();
    const std::string state = status.text("state");
    if (state == "failed") {
      throw std::runtime_error("rdmasync failed: " + status.text("last_sync_error"));
    }
    return {state.empty() ? "loading" : state, status.number("sync_perc") / 100,
            static_cast<std::uint64_t>(status.number("sync_read_bytes")),
            state == "synced" && link_up(replica().info("replication"))};
  }
};

class NativeTransfer : public ServerTransfer {
 public:
  explicit NativeTransfer(const Ends& ends)
      : ServerTransfer("REPLICAOF", ends),
        dataset_bytes_(std::max(1.0, ends.master().info("memory").number("used_memory"))) {}

  Stage poll() override {
    const Fields replication = replica().info("replication");
    const Fields persistence = replica().info("persistence");
    const bool loading = persistence.number("loading") != 0;
    const double read = loading ? persistence.number("loading_loaded_bytes")
                                : replication.number("master_sync_read_bytes");
    return {loading    ? "loading"
            : read > 0 ? "transfer"
                       : "wait",
            read / dataset_bytes_, static_cast<std::uint64_t>(read), link_up(replication)};
  }

 private:
  double dataset_bytes_;
};

}  // namespace

std::vector<Part> rdmasync_parts(const Fields& status) {
  std::vector<Part> parts;
  for (const char* name : {"connect", "wait", "attach", "pull", "cut", "load", "continue"}) {
    parts.push_back({name, status.number(fmt::format("last_sync_{}_ms", name))});
  }
  return parts;
}

std::unique_ptr<Transfer> make_transfer(const Method& method, const Ends& ends) {
  switch (method.kind) {
    case Method::Kind::kRdmasync:
      return std::make_unique<RdmasyncTransfer>(ends);
    case Method::Kind::kNative:
      return std::make_unique<NativeTransfer>(ends);
    case Method::Kind::kGetSet:
      return std::make_unique<GetSet>(ends, method.pipelined);
  }
  throw std::logic_error("no such kind of method");
}

}  // namespace rdmasync::bench
