#include "module/replica/session.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "module/redis/log.h"
#include "module/replica/main_tasks.h"
#include "module/replica/suitability.h"
#include "module/replica/sync.h"
#include "rdma/thread.h"

namespace rdmasync::replica {

namespace {

// Sooner than the server, which tries once in a second: a master waits but for a moment.
constexpr std::chrono::milliseconds kRetry{200};
constexpr std::chrono::seconds kLongestPause{30};

}  // namespace

Session::Session(std::string host, int port, Begun begun, Surroundings around)
    : host_(std::move(host)),
      port_(port),
      begun_(begun),
      around_(std::move(around)),
      link_(around_.server, around_.link_events, host_, port_, begun == Begun::kByServer),
      thread_(rdma::start_thread("rdmasync-sync",
                                 [this](const std::stop_token& stop) { run(stop); })) {}

bool Session::insists_on(const std::string& host, int port) const {
  return begun_ == Begun::kByUser && port_ == port &&
         ::strcasecmp(host_.c_str(), host.c_str()) == 0;
}

void Session::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any retry_due;
  while (!stop.stop_requested()) {
    std::chrono::milliseconds pause = kRetry;
    try {
      if (stand_by(stop)) {
        break;
      }
    } catch (const std::exception& error) {
      if (stop.stop_requested()) {
        break;
      }
      if (begun_ == Begun::kByServer) {
        around_.status->leave(error.what());
        redis::log_notice(fmt::format("rdmasync: the sync with {} is left to the server: {}",
                                      name(), error.what()));
        break;
      }
      if (around_.status->state() != State::kFailed) {
        around_.status->fail(error.what());
      }
      pause = put_off(error.what());
    }
    std::unique_lock lock(mutex);
    retry_due.wait_for(lock, stop, pause, [] { return false; });
  }
  finished_ = true;
}

std::chrono::milliseconds Session::put_off(const std::string& reason) {
  const auto pause = pause_;
  redis::log_warning(fmt::format("rdmasync: the sync with {} failed: {}; again in {} s", name(),
                                 reason, pause.count()));
  pause_ = std::min(pause_ * 2, kLongestPause);
  return pause;
}

bool Session::stand_by(const std::stop_token& stop) {
  if (!link_.follows()) {
    around_.status->begin(host_, port_);
    around_.enter(State::kConnecting, stop);
    redis::log_notice("rdmasync: connecting to the master " + name());
  }
  const auto facts = on_main(stop, [&server = around_.server] { return server.facts(); });
  const MasterAddress master{host_, port_, facts.user, facts.password, facts.source};
  try {
    ControlConnection control(master, facts.timeout, stop);
    check_master(control, name(), facts.run_id);
    NativeLink native(control);
    const bool resumes = has_loaded(stop);
    if (!resumes) {
      if (loaded_) {
        loaded_->load.reset();
      }
      while (!native.psync_waits(link_.follows() ? NativeLink::kAwait : NativeLink::kAtOnce) &&
             link_.follows()) {
        if (came_up_by_itself(stop)) {
          return true;
        }
      }
      if (link_.follows()) {
        around_.status->begin(host_, port_);
      }
    }
    Sync sync(control, native, link_, master, facts, around_, stop);
    try {
      if (resumes) {
        sync.resume(*std::exchange(loaded_, {}));
      } else {
        sync.run();
      }
      return true;
    } catch (const Error& error) {
      loaded_ = sync.take_loaded();
      if (error.code() == Errc::kResources) {
        loaded_.reset();  // the master cannot go on from it
        if (resumes) {
          return false;
        }
      }
      if (error.code() == Errc::kCancelled && came_up_by_itself(stop)) {
        return true;
      }
      around_.status->fail(error.what());
      give_way(control, native, error, stop);
    }
  } catch (const Error& error) {
    // The master may come back: until then the server has no link either.
    const bool passes = error.code() == Errc::kPeerLost || error.code() == Errc::kBusy;
    if (!passes || !link_.follows()) {
      throw;
    }
  }
  return came_up_by_itself(stop);
}

bool Session::has_loaded(const std::stop_token& stop) {
  return loaded_ && link_.has_history(loaded_->session, stop);
}

bool Session::came_up_by_itself(const std::stop_token& stop) {
  if (!link_.is_up() || has_loaded(stop)) {
    return false;
  }
  const bool from_the_copy = loaded_ && link_.continues_from(loaded_->session, stop);
  if (from_the_copy || begun_ == Begun::kByUser) {
    redis::log_notice(fmt::format("rdmasync: the server's own link to {} is up {}", name(),
                                  from_the_copy ? "from the copy on" : "without one"));
    around_.status->enter(State::kSynced);
  }
  return true;
}

void Session::give_way(ControlConnection& control, NativeLink& native, const Error& error,
                       const std::stop_token& stop) {
  switch (error.code()) {
    case Errc::kPeerLost:
    case Errc::kBusy:
    case Errc::kCancelled:
      throw error;
    case Errc::kUsage:
      return hold_off(control, native, error.what(), stop);
    default:
      if (begun_ == Begun::kByUser) {
        return hold_off(control, native, error.what(), stop);
      }
      // The server's own sync is to find its own settings, from its beginning on.
      loaded_.reset();
      on_main(stop, [] {});
      control.command(protocol::request::Decline{error.what()});
      throw error;
  }
}

void Session::hold_off(ControlConnection& control, NativeLink& native, const std::string& reason,
                       const std::stop_token& stop) {
  const auto until = std::chrono::steady_clock::now() + put_off(reason);
  while (std::chrono::steady_clock::now() < until && !stop.stop_requested()) {
    if (native.psync_waits(NativeLink::kAwait)) {
      control.command(protocol::request::Later{reason});
    }
  }
}

}  // namespace rdmasync::replica
