#include "module/replica/replica.h"

#include <strings.h>

#include <utility>

#include "module/config.h"
#include "module/fault.h"
#include "module/protocol/requests.h"
#include "module/redis/command_filter.h"
#include "module/redis/log.h"
#include "module/redis/main_thread.h"
#include "module/redis/server.h"
#include "rdmasync/error.h"
#include "rdmasync/number.h"

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
    stop_session();
    turned_to({}, {});
    server_.promote();
    status_ = std::make_shared<SyncStatus>(totals_);
    redis::ReplyWithSimpleString(ctx, "OK");
    return;
  }
  const int number = port_from(port);
  if (session_ && !session_->finished() && session_->insists_on(host, number)) {
    redis::ReplyWithSimpleString(ctx, "OK Already syncing with specified master");
    return;
  }
  if (server_.follows(host, number)) {
    redis::ReplyWithSimpleString(ctx, "OK Already connected to specified master");
    return;
  }
  start(host, port);
  turned_to(host, port);
  redis::ReplyWithSimpleString(ctx, "OK");
}

void Replica::start(const std::string& host, const std::string& port) {
  const int number = port_from(port);
  if (host.empty()) {
    throw Error(Errc::kUsage, "the master's host is empty");
  }
  if (redis::in_cluster()) {
    throw Error(Errc::kUsage,
                "this server runs in cluster mode, where replicas are made by CLUSTER REPLICATE");
  }
  server_.facts();  // what keeps every sync from working is told at once
  if (server_.follows(host, number)) {
    return;
  }
  stop_session();
  status_ = std::make_shared<SyncStatus>(totals_);
  begin_session(host, number, Session::Begun::kByUser);
}

void Replica::turned_to(const std::string& host, const std::string& port) {
  if (config().slaveof != host + " " + port) {
    forget_slaveof();
  }
}

bool Replica::between_histories() const {
  const State state = status_->state();
  return (state == State::kLoading || state == State::kContinuing) &&
         !planted(Fault::kServedTooEarly);
}

void Replica::filter_psync(RedisModuleCommandFilterCtx* command) {
  // It would make a sync for nothing: this server's replication id is not yet that of its master.
  if (between_histories()) {
    redis::become(command, protocol::request::NotYet::kName);
  } else {
    server_.filler().filter_psync(command);
  }
}

void Replica::master_link_down() {
  link_is_down_ = true;
  // The server itself is in the middle of something.
  redis::post_to_main([this] { stand_by(); });
}

void Replica::stand_by() {
  if (!link_is_down_ || (session_ && !session_->finished())) {
    return;
  }
  link_is_down_ = false;
  const redis::Info replication("replication");
  if (config().accelerate && replication.text("role") == "slave" &&
      replication.text("master_link_status") != "up") {
    begin_session(replication.text("master_host"),
                  static_cast<int>(replication.number("master_port")), Session::Begun::kByServer);
  }
}

void Replica::begin_session(const std::string& host, int port, Session::Begun begun) {
  session_ = std::make_unique<Session>(
      host, port, begun,
      Surroundings{status_, server_, link_events_,
                   [this](State state, const std::stop_token& stop_token) {
                     hold_.entered(state, stop_token);
                   }});
}

void Replica::stop_session() {
  if (session_) {
    session_->request_stop();
    stopping_.push_back(std::move(session_));
  }
}

void Replica::role_changed() {
  if (server_.changing_role()) {
    return;
  }
  if (session_ && !session_->finished() && session_->begun() == Session::Begun::kByUser) {
    redis::log_notice("rdmasync: the sync gives way to REPLICAOF");
  }
  stop_session();
  status_ = std::make_shared<SyncStatus>(totals_);
  const redis::Info replication("replication");
  turned_to(replication.text("master_host"), replication.text("master_port"));
  master_link_down();
}

void Replica::cron() {
  stand_by();
  std::erase_if(stopping_, [](const auto& session) { return session->finished(); });
}

void Replica::shutdown() {
  stop_session();
  stopping_.clear();
}

}  // namespace rdmasync::replica
