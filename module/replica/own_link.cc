#include "module/replica/own_link.h"

#include <utility>

#include "module/redis/server.h"
#include "module/replica/main_tasks.h"
#include "rdmasync/error.h"

namespace rdmasync::replica {

OwnLink::OwnLink(OwnServer& server, LinkEvents& events, std::string host, int port, bool follows)
    : server_(server),
      events_(events),
      host_(std::move(host)),
      port_(port),
      follows_(follows),
      ups_before_(events.count()) {}

void OwnLink::turn_to_master(const std::stop_token& stop) {
  ups_before_ = on_main(stop, [this] {
    const auto ups = events_.count();
    return server_.follow(host_, port_) ? ups : ups_before_;
  });
  follows_ = true;
}

void OwnLink::check_is_down() const {
  if (is_up()) {
    throw Error(Errc::kCancelled, "the server has continued by itself");
  }
}

void OwnLink::renew(const std::stop_token& stop) {
  ups_before_ = events_.count();
  on_main(stop, redis::renew_link);
}

std::optional<std::int64_t> OwnLink::offset(const std::stop_token& stop) {
  return on_main(stop, [this] { return server_.offset(); });
}

bool OwnLink::has_history(const std::string& replication_id, const std::stop_token& stop) {
  return on_main(stop, [this, replication_id] { return server_.has_history(replication_id); });
}

bool OwnLink::continues_from(const std::string& replication_id, const std::stop_token& stop) {
  return on_main(stop, [this, replication_id] { return server_.continues_from(replication_id); });
}

}  // namespace rdmasync::replica
