#include "module/master/sync_sessions.h"

#include <utility>

#include "module/protocol/psync.h"
#include "module/redis/reply_fields.h"

namespace rdmasync::master {

namespace {

// Each costs a few hundred bytes, and is of no use once the backlog has moved on.
constexpr std::size_t kMostSessions = 64;

}  // namespace

void SyncSessions::add(const std::string& id, Session session) {
  if (by_age_.size() == kMostSessions) {
    sessions_.erase(by_age_.front());
    by_age_.pop_front();
  }
  by_age_.push_back(id);
  sessions_[id] = std::move(session);
}

void SyncSessions::was_cut(const std::string& id, std::int64_t cut) {
  const auto found = sessions_.find(id);
  if (found != sessions_.end()) {
    found->second.cut = cut;
  }
}

const SyncSessions::Session* SyncSessions::find(const std::string& id) const {
  const auto found = sessions_.find(id);
  return found == sessions_.end() ? nullptr : &found->second;
}

void reply_with_filler(RedisModuleCtx* ctx, const std::string& id,
                       const SyncSessions::Session& session, std::int64_t offset) {
  constexpr std::string_view kNoop = "PING";
  static const std::string zeros(protocol::kLargestNoop, '\0');
  const std::int64_t applied = offset - 1;
  const auto end = protocol::end_of_piece(session.begin, applied, session.cut.value());
  const auto payloads = protocol::filler(end - applied);
  redis::ReplyWithSimpleString(ctx, protocol::continue_line(id).c_str());
  for (const std::int64_t size : payloads) {
    redis::ReplyWithArray(ctx, size < 0 ? 1 : 2);
    redis::reply_text(ctx, kNoop);
    if (size >= 0) {
      redis::reply_text(ctx, std::string_view(zeros).substr(0, static_cast<std::size_t>(size)));
    }
  }
}

}  // namespace rdmasync::master
