#include "module/replica/copy.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "module/redis/log.h"
#include "module/replica/attach.h"
#include "module/replica/pull.h"
#include "module/replica/suitability.h"
#include "rdmasync/protocol.h"

namespace rdmasync::replica {

namespace {

double megabytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / 1e6;
}

protocol::CutReply pull_to_a_cut(Pull& pull, ControlConnection& link, SyncStatus& status,
                                 const CopyHooks& hooks) {
  for (std::uint64_t round = 1;;) {
    hooks.enter(State::kPulling);
    pull.until_round(round);
    hooks.enter(State::kCutting);
    auto cut = protocol::cut_reply_from(
        fields_of(*link.command({protocol::kExportCommand, protocol::kCut})));
    if (cut.again_after_round == 0) {
      status.set_cut({cut.keys, cut.us, cut.forced});
      if (cut.forced) {
        redis::log_notice(
            fmt::format("rdmasync: after {} rounds the master was still written faster "
                        "than it was read: the cut took {} us of it, for {} keys",
                        round, cut.us, cut.keys));
      }
      return cut;
    }
    round = cut.again_after_round;
  }
}

}  // namespace

Copy copy_dataset(ControlConnection& link, const MasterAddress& master, const OwnFacts& facts,
                  SyncStatus& status, const CopyHooks& hooks, const std::stop_token& stop) {
  hooks.enter(State::kAttaching);
  auto attachment =
      attach(link, master, facts.fabric,
             {facts.rdb_version, facts.server, facts.announced_ip, facts.listening_port}, stop);
  const std::string fabric(attachment.fabric->name());
  status.set_fabric(fabric);
  const std::string master_modules = attachment.place.modules;
  redis::log_notice(fmt::format("rdmasync: attached to export {} of {}:{} over {}",
                                attachment.place.export_number, master.host, master.port, fabric));

  Copy copy;
  copy.staging = std::make_shared<Staging>();
  copy.rdb_version = attachment.place.rdb_version;
  Pull pull(std::move(attachment), *copy.staging, facts.value_buffers, status,
            Pull::Callbacks{
                [&link](std::uint64_t position) {
                  link.send({protocol::kExportCommand, protocol::kAck, std::to_string(position)});
                },
                hooks.check, [&link] { position_of(link); }});
  copy.cut = pull_to_a_cut(pull, link, status, hooks);
  hooks.cut(copy.cut);
  pull.until_cut();
  link.command({protocol::kExportCommand, protocol::kDetach});
  pull.check_whole();
  check_dataset(*copy.staging, facts, master_modules);
  copy.staging->seal(pull.take_log());
  redis::log_notice(fmt::format("rdmasync: copied {} keys, {:.1f} MB; the cut is at {}:{}",
                                copy.staging->keys(), megabytes(status.read_bytes),
                                copy.cut.replication_id, copy.cut.offset));
  return copy;
}

}  // namespace rdmasync::replica
