#include "bench/measure/availability.h"

namespace rdmasync::bench {

Availability::Availability(Client client)
    : client_(std::move(client)), thread_([this] { run(); }) {}

Availability::~Availability() {
  finish();
}

void Availability::finish() {
  stopping_ = true;
  if (thread_.joinable()) {
    thread_.join();
  }
}

double Availability::stop() {
  finish();
  if (error_) {
    std::rethrow_exception(error_);
  }
  return gone_.count();
}

void Availability::run() {
  constexpr auto kInterval = std::chrono::milliseconds(2);
  constexpr auto kPatience = std::chrono::milliseconds(5);
  try {
    auto served = Clock::now();
    bool refused = false;
    while (!stopping_) {
      const auto asked = Clock::now();
      // Not a GET: the value may be large.
      const Reply reply = client_.command("EXISTS", "1");
      const auto now = Clock::now();
      if (reply.is_error()) {
        refused = true;
      } else {
        if (refused || now - asked > kPatience) {
          gone_ += now - served;
        }
        refused = false;
        served = now;
      }
      std::this_thread::sleep_for(kInterval);
    }
    if (refused) {
      gone_ += Clock::now() - served;
    }
  } catch (...) {
    error_ = std::current_exception();
  }
}

}  // namespace rdmasync::bench
