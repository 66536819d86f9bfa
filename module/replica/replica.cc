#include "module/replica/replica.h"

#include <strings.h>

#include <algorithm>
#include <utility>

#include "module/config.h"
#include "module/number.h"
#include "module/redis/log.h"
#include "module/redis/main_thread.h"
#include "module/redis/server.h"
#include "module/replica/stub_load.h"
#include "rdmasync/error.h"

namespace rdmasync::replica {

namespace {

bool same(const std::string& a, const char* b) {
  return ::strcasecmp(a.c_str(), b) == 0;
}

int port_from(const std::string& text) {
  const auto port = to_number<int>(text);
  if (!port || *port < 1 || *port > 65535) {
    throw Error(Errc::kUsage, "invalid master port '" + text + "': it is a number up to 65535");
  }
  return *port;
}

}  // namespace

Replica::Replica() : status_(std::make_shared<SyncStatus>(totals_)) {}

void Replica::slaveof(RedisModuleCtx* ctx, const std::string& host, const std::string& port) {
  // The server itself refuses this only while it serves nobody; it refuses REPLICAOF always.
  if ((redis::GetContextFlags(ctx) & redis::kCtxAsyncLoading) != 0) {
    throw Error(Errc::kRefused, "this server loads a dataset: try again when it has");
  }
  if (same(host, "no") && same(port, "one")) {
    stop();
    turned_to({}, {});
    server_.promote();
    status_ = std::make_shared<SyncStatus>(totals_);
    redis::ReplyWithSimpleString(ctx, "OK");
    return;
  }
  const int number = port_from(port);
  if (sync_ && !sync_->finished() && same(sync_->host(), host.c_str()) && sync_->port() == number) {
    redis::ReplyWithSimpleString(ctx, "OK Already syncing with specified master");
    return;
  }
  if (follows(host, number)) {
    redis::ReplyWithSimpleString(ctx, "OK Already connected to specified master");
    return;
  }
  start(host, port);
  turned_to(host, port);
  redis::ReplyWithSimpleString(ctx, "OK");
}

bool Replica::follows(const std::string& host, int port) const {
  const redis::Info replication("replication");
  return replication.text("role") == "slave" &&
         same(replication.text("master_host"), host.c_str()) &&
         replication.number("master_port") == port &&
         replication.text("master_link_status") == "up";
}

void Replica::start(const std::string& host, const std::string& port) {
  const int number = port_from(port);
  if (host.empty()) {
    throw Error(Errc::kUsage, "the master's host is empty");
  }
  server_.facts();  // what keeps every sync from working is told at once
  stop();
  stop_session();
  status_ = std::make_shared<SyncStatus>(totals_);
  sync_ = std::make_unique<Sync>(
      host, number,
      Sync::Surroundings{status_, server_, link_events_,
                         [this](State state, const std::stop_token& stop_token) {
                           hold_.entered(state, stop_token);
                         }});
}

void Replica::turned_to(const std::string& host, const std::string& port) {
  if (config().slaveof != host + " " + port) {
    forget_slaveof();
  }
}

void Replica::stop() {
  if (!sync_) {
    return;
  }
  sync_->request_stop();
  stopping_.push_back(std::move(sync_));
}

void Replica::master_link_down() {
  link_is_down_ = true;
  // The server itself is in the middle of something.
  redis::post_to_main([this] { stand_by(); });
}

/// Unless somebody does already.
void Replica::stand_by() {
  const bool busy = (sync_ && !sync_->finished()) || (session_ && !session_->finished());
  if (link_is_down_ && !busy && !server_.has_own_master()) {
    link_is_down_ = false;
    begin_session();
  }
}

void Replica::stop_session() {
  if (session_) {
    session_->request_stop();
    stopping_sessions_.push_back(std::move(session_));
  }
}

void Replica::begin_session() {
  const redis::Info replication("replication");
  if (!config().accelerate || replication.text("role") != "slave" ||
      replication.text("master_link_status") == "up") {
    return;
  }
  session_ = std::make_unique<Session>(
      replication.text("master_host"), static_cast<int>(replication.number("master_port")),
      Session::Surroundings{status_, server_, link_events_,
                            [this](State state, const std::stop_token& stop_token) {
                              hold_.entered(state, stop_token);
                            }});
}

void Replica::role_changed() {
  if (server_.changing_role()) {
    return;
  }
  stop_session();
  master_link_down();
  const redis::Info replication("replication");
  turned_to(replication.text("master_host"), replication.text("master_port"));
  server_.no_way_back();
  const bool running = sync_ && !sync_->finished();
  stop();
  status_ = std::make_shared<SyncStatus>(totals_);
  if (running) {
    redis::log_notice("rdmasync: the sync gives way to REPLICAOF");
  }
}

void Replica::loading_began() {
  if (!loads_beside()) {
    server_.no_way_back();
  }
  if (status_->state() == State::kHandover) {
    redis::log_warning(
        "rdmasync: the master's backlog did not last to the end of the handover, so the server "
        "makes "
        "a full sync of its own: raise the master's repl-backlog-size");
  }
}

void Replica::loading_ended(bool loaded) {
  if (loaded) {
    server_.no_way_back();
  }
  server_.loading_ended();
}

void Replica::cron() {
  stand_by();
  std::erase_if(stopping_sessions_, [](const auto& session) { return session->finished(); });
  const auto done = std::remove_if(stopping_.begin(), stopping_.end(),
                                   [](const auto& sync) { return sync->finished(); });
  stopping_.erase(done, stopping_.end());
}

void Replica::shutdown() {
  stop();
  stop_session();
  stopping_sessions_.clear();
  stopping_.clear();
}

}  // namespace rdmasync::replica
