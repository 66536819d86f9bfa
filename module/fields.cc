#include "module/fields.h"

#include <algorithm>

namespace rdmasync {

using replica::State;

std::vector<Field> status_fields(const master::Exports& exports, const replica::Replica& replica,
                                 bool is_replica) {
  const auto number = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  const auto& sync = replica.status();
  const auto text = sync.text();
  const auto phase = [&](State state) { return text.phase_ms.at(static_cast<std::size_t>(state)); };
  const std::uint64_t read = sync.read_bytes;
  const std::uint64_t total = std::max<std::uint64_t>(sync.total_bytes, read);
  const State state = sync.state();
  const bool copied =
      state == State::kLoading || state == State::kContinuing || state == State::kSynced;
  const double percent = copied ? 100.0
                         : total == 0
                             ? 0.0
                             : 100.0 * static_cast<double>(read) / static_cast<double>(total);
  const auto master = exports.stats();
  return {
      {"role", std::string(is_replica ? "replica" : "master")},
      {"state", std::string(name_of(state))},
      {"fabric", text.fabric},
      {"master_host", text.host},
      {"master_port", number(static_cast<std::uint64_t>(text.port))},
      {"sync_total_bytes", number(copied ? read : total)},
      {"sync_read_bytes", number(read)},
      {"sync_left_bytes", number(copied ? 0 : total - read)},
      {"sync_perc", percent},
      {"sync_keys", number(sync.keys)},
      {"sync_rounds", number(sync.rounds)},
      {"last_sync_error", text.last_error},
      {"last_sync_left", replica.totals().last_left()},
      {"last_psync_left", exports.psyncs().last_left()},
      {"last_sync_duration_ms", text.total_ms},
      {"last_sync_connect_ms", phase(State::kConnecting)},
      {"last_sync_wait_ms", phase(State::kWaiting)},
      {"last_sync_attach_ms", phase(State::kAttaching)},
      {"last_sync_pull_ms", phase(State::kPulling)},
      {"last_sync_cut_ms", phase(State::kCutting)},
      {"last_sync_load_ms", phase(State::kLoading)},
      {"last_sync_continue_ms", phase(State::kContinuing)},
      {"last_sync_cut_keys", text.cut.keys},
      {"last_sync_cut_us", text.cut.us},
      {"last_sync_cut_forced", static_cast<std::int64_t>(text.cut.forced)},
      {"syncs_ok", number(replica.totals().ok)},
      {"syncs_failed", number(replica.totals().failed)},
      {"exports", number(master.exports)},
      {"export_replicas", number(master.replicas)},
      {"export_direct", number(master.direct)},
      {"export_packed", number(master.packed)},
      {"export_parts", number(master.parts)},
      {"export_whole_in_cut", number(master.whole_in_cut)},
      {"export_ring_bytes", number(master.ring_bytes)},
      {"log_bytes", number(master.log_bytes)},
      {"pinned_bytes", number(master.pinned_bytes)},
      {"slice_max_us", number(master.slice_max_us)},
      {"cut_max_us", number(master.cut_max_us)},
  };
}

void reply_with(RedisModuleCtx* ctx, const std::vector<Field>& fields) {
  redis::ReplyWithMap(ctx, static_cast<long>(fields.size()));
  for (const Field& field : fields) {
    redis::reply_text(ctx, field.name);
    if (const auto* text = std::get_if<std::string>(&field.value)) {
      redis::reply_text(ctx, *text);
    } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
      redis::ReplyWithLongLong(ctx, *number);
    } else {
      redis::ReplyWithDouble(ctx, std::get<double>(field.value));
    }
  }
}

void add_to_info(RedisModuleInfoCtx* ctx, const std::vector<Field>& fields) {
  redis::InfoAddSection(ctx, "");
  for (const Field& field : fields) {
    if (const auto* text = std::get_if<std::string>(&field.value)) {
      redis::InfoAddFieldCString(ctx, field.name, text->c_str());
    } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
      redis::InfoAddFieldLongLong(ctx, field.name, *number);
    } else {
      redis::InfoAddFieldDouble(ctx, field.name, std::get<double>(field.value));
    }
  }
}

}  // namespace rdmasync
