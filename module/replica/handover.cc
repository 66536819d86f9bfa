#include "module/replica/handover.h"

#include <utility>

#include "module/replica/main_tasks.h"
#include "module/replica/stub_file.h"
#include "module/replica/stub_load.h"
#include "module/replica/stub_rdb.h"
#include "module/token_text.h"

namespace rdmasync::replica {

namespace {

constexpr std::chrono::seconds kHandshakeTimeout{10};
constexpr std::chrono::milliseconds kLook{10};

}  // namespace

Handover::Handover(OwnServer& server, LinkEvents& link_events, std::stop_token stop)
    : server_(server), link_events_(link_events), stop_(stop), master_(std::move(stop)) {}

Handover::~Handover() {
  redis::post_to_main([&server = server_, port = master_.port(), follows = follows_master_] {
    server.settle(port, *follows);
  });
}

void Handover::begin() {
  ups_before_ = link_events_.count();
  on_main(stop_, [&server = server_, port = master_.port()] { server.follow_own_master(port); });
  master_.await_psync(kHandshakeTimeout);
}

void Handover::load(const std::shared_ptr<Staging>& staging, const protocol::CutReply& cut,
                    int rdb_version, const std::string& dump_path) {
  const std::string token = to_text(rdma::random_token());
  const PendingLoad pending(token, staging, Insert::kNotInStub);
  master_.begin_full_sync(cut.replication_id, cut.offset);
  write_stub_rdb(*staging, rdb_version, token,
                 [this](std::string_view bytes) { master_.write(bytes); });
  master_.end_full_sync();
  while (!link_events_.wait_beyond(ups_before_, kLook)) {
    master_.check_alive();
  }
  StubFile(dump_path).remove_if_written(token);
  if (!pending.inserted()) {
    throw Error(Errc::kResources,
                "this server has loaded the copy without its large values: see the lines above in "
                "its log");
  }
}

std::function<void()> Handover::follow_task(const std::string& host, int port) {
  return [&server = server_, follows = follows_master_, host, port] {
    server.follow(host, port);
    *follows = true;
  };
}

bool Handover::feed(Relay& relay, std::int64_t lag, const std::function<void()>& close) {
  relay.wait(kLook);
  master_.check_alive();
  const std::string stream = relay.take();
  if (!stream.empty()) {
    master_.write(stream);
  }
  // Cut off, the stream may have left us far behind: the server would ask for what the backlog no
  // longer has, and get a full sync. Better to fail, which take() does once all is taken.
  if (relay.ended()) {
    return false;
  }
  const auto received = relay.received();
  const auto [applied, near] = on_main(stop_, [&server = server_, received, lag, close] {
    const std::int64_t offset = server.applied_offset();
    const bool enough = received - offset <= lag && server.may_leave_own_master();
    if (enough) {
      close();
    }
    return std::pair(offset, enough);
  });
  relay.set_applied(applied);
  return near;
}

void Handover::relay(Relay& relay, std::int64_t lag) {
  while (!feed(relay, lag, [] {})) {
  }
}

void Handover::relay_and_follow(Relay& relay, std::int64_t lag, const std::string& host, int port) {
  ups_before_ = link_events_.count();
  while (!feed(relay, lag, follow_task(host, port))) {
  }
}

void Handover::follow(const std::string& host, int port) {
  ups_before_ = link_events_.count();
  on_main(stop_, follow_task(host, port));
}

void Handover::await_link(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!link_events_.wait_beyond(ups_before_, kLook)) {
    if (stop_.stop_requested()) {
      throw Error(Errc::kCancelled, "stopped");
    }
    if (std::chrono::steady_clock::now() > deadline) {
      throw Error(Errc::kPeerLost,
                  "the copy is loaded, but this server's own link to the master does not come up: "
                  "see master_link_status");
    }
  }
}

}  // namespace rdmasync::replica
