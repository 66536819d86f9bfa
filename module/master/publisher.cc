#include "module/master/publisher.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace rdmasync::master {

using log_format::Kind;
using log_format::RemoteBytes;

namespace {

std::string_view bytes_of(std::span<const std::uint32_t> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

std::string_view key_of(const log::RecordInfo& info, const std::string& body) {
  return std::string_view(body).substr(info.key_offset, info.key_length);
}

}  // namespace

Publisher::Publisher(log::Ring& ring, Registrar& registrar, std::size_t pinned_limit,
                     std::function<void(std::uint32_t, std::string_view, const Error&)> lost)
    : ring_(ring), registrar_(registrar), pinned_limit_(pinned_limit), lost_(std::move(lost)) {}

void Publisher::retire_all() {
  for (Pinned& pinned : pinned_) {
    registrar_.retire(std::move(pinned.region), std::move(pinned.owner));
  }
  pinned_.clear();
}

void Publisher::put(const log::RecordInfo& info, std::string_view head, std::string_view rest) {
  if (head.size() + rest.size() <= ring_.max_body()) {
    if (waiting_.empty() && ring_.append(info, head, rest)) {
      count(info, head.size() + rest.size());
      return;
    }
    Waiting waiting;
    waiting.info = info;
    waiting.body.append(head).append(rest);
    waiting_bytes_ += waiting.body.size();
    waiting_.push_back(std::move(waiting));
    return;
  }

  if (head.size() > ring_.max_body()) {
    throw Error(Errc::kResources, "a key of " + std::to_string(info.key_length) +
                                      " bytes does not fit the export log: raise "
                                      "rdmasync.export-memory to 8 times that and more");
  }
  auto copy = std::make_shared<std::string>(rest);
  Waiting waiting;
  waiting.info = info;
  waiting.body = head;
  waiting.owner = copy;
  wait_for_registration(std::move(waiting),
                        std::as_writable_bytes(std::span(copy->data(), copy->size())));
}

void Publisher::put_direct(std::uint32_t db, std::string_view key, const log::KeyMeta& meta,
                           std::span<std::byte> bytes) {
  Waiting waiting;
  waiting.info.kind = Kind::kDirect;
  waiting.info.db = db;
  waiting.info.key_length = static_cast<std::uint32_t>(key.size());
  waiting.body = key;
  waiting.meta = meta;
  ++waiting_direct_;
  wait_for_registration(std::move(waiting), bytes);
}

void Publisher::wait_for_registration(Waiting waiting, std::span<std::byte> bytes) {
  pinned_bytes_ += bytes.size();
  waiting.ticket = registrar_.request(bytes);
  waiting_.push_back(std::move(waiting));
}

void Publisher::advance() {
  while (!waiting_.empty() && try_publish(waiting_.front())) {
    if (!waiting_.front().ticket) {
      waiting_bytes_ -= waiting_.front().body.size();
    }
    waiting_.pop_front();
  }
  ring_.show_head();
}

bool Publisher::try_publish(Waiting& waiting) {
  if (waiting.ticket) {
    return append_remote(waiting);
  }
  if (!ring_.append(waiting.info, waiting.body)) {
    return false;
  }
  count(waiting.info, waiting.body.size());
  return true;
}

bool Publisher::append_remote(Waiting& waiting) {
  Registrar::Ticket& ticket = *waiting.ticket;
  if (!ticket.done.load(std::memory_order_acquire)) {
    return false;
  }
  const bool is_value = waiting.info.kind == Kind::kDirect;
  if (ticket.error) {
    const auto is_cut = [](const Waiting& next) { return next.info.kind == Kind::kCut; };
    // Marked as dirty after the cut, it would be missing in there.
    if (std::any_of(waiting_.begin(), waiting_.end(), is_cut)) {
      throw Error(*ticket.error);
    }
    if (is_value) {
      --waiting_direct_;
    }
    pinned_bytes_ -= ticket.bytes.size();
    lost_(waiting.info.db, key_of(waiting.info, waiting.body), *ticket.error);
    return true;
  }

  const rdma::PartKeys rkeys = ticket.region->rkeys();
  const RemoteBytes remote{reinterpret_cast<std::uint64_t>(ticket.bytes.data()),
                           ticket.bytes.size(), rkeys.first,
                           static_cast<std::uint32_t>(rkeys.further.size())};
  log::RecordInfo info = waiting.info;
  const std::string head = is_value ? log::head_of_direct(info, remote, waiting.meta)
                                    : log::head_of_remote(info, remote);
  const std::string_view tail = bytes_of(rkeys.further);
  if (waiting.body.size() + tail.size() > ring_.max_body()) {
    throw Error(Errc::kResources,
                "a key of " + std::to_string(info.key_length) + " bytes with a value in " +
                    std::to_string(rkeys.further.size() + 1) +
                    " parts does not fit the export log: raise rdmasync.export-memory");
  }
  if (!ring_.append(info, head, waiting.body, tail)) {
    return false;
  }
  if (is_value) {
    --waiting_direct_;
    last_direct_end_ = ring_.head();
  }
  count(info, ticket.bytes.size());
  pinned_.push_back(
      {ring_.head(), ticket.bytes.size(), std::move(ticket.region), std::move(waiting.owner)});
  return true;
}

void Publisher::release(std::uint64_t position) {
  ring_.release(position);
  while (!pinned_.empty() && pinned_.front().end <= position) {
    pinned_bytes_ -= pinned_.front().bytes;
    registrar_.retire(std::move(pinned_.front().region), std::move(pinned_.front().owner));
    pinned_.pop_front();
  }
}

void Publisher::count(const log::RecordInfo& info, std::size_t payload) {
  if (info.kind == Kind::kPart) {
    ++totals_.parts;
    ring_.progress().payload_bytes += payload;
  }
  if (!log_format::carries_value(info.kind)) {
    return;
  }
  ++(info.kind == Kind::kDirect ? totals_.direct : totals_.packed);
  ring_.progress().keys_published++;
  ring_.progress().payload_bytes += payload;
}

}  // namespace rdmasync::master
