#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "module/master/export.h"
#include "module/master/preparation.h"
#include "module/master/psync_answers.h"
#include "module/master/write_watch.h"
#include "module/redis/held_settings.h"
#include "module/redis/waker.h"

namespace rdmasync::master {

/// All exports of this server and the replicas in them. Main thread only.
class Exports final : private WriteListener {
 public:
  /// A fabric and the address of this host that replicas reach over it.
  struct Place {
    std::string fabric;
    std::string address;
    bool operator<(const Place& other) const {
      return std::tie(fabric, address) < std::tie(other.fabric, other.address);
    }
  };

  Exports() = default;
  ~Exports() override;

  // What a replica asks for on its control connection (module/protocol/requests.h).

  /// It says anything: so it is there.
  void heard(Export::ClientId client);
  /// Joins an export, or waits for one to be opened and does so then, in opened(). Replies.
  void attach(RedisModuleCtx* ctx, std::string_view fabric);
  void acknowledge(Export::ClientId client, std::uint64_t position);
  void cut(RedisModuleCtx* ctx);  ///< replies, now or when it can be made
  void leave(Export::ClientId client);
  void prime(RedisModuleCtx* ctx);

  PsyncAnswers& psyncs() { return psyncs_; }
  const PsyncAnswers& psyncs() const { return psyncs_; }

  /// `RDMASYNC.TABLE`: at most `limit` rows of the live mapping table.
  void reply_with_table(RedisModuleCtx* ctx, long long limit) const;

  /// From the command filter: before a command of anybody. A replica shows some keys to its own
  /// master only, and the cut may wait for them.
  void before_command() {
    if (std::any_of(exports_.begin(), exports_.end(),
                    [](const auto& running) { return running->waits_for_hidden(); })) {
      capture_hidden();
    }
  }

  // Server events.
  void before_sleep();
  void cron();
  void client_gone(Export::ClientId client);
  void flushed(std::uint32_t db);  ///< or kAllDatabases
  void swapped(std::uint32_t a, std::uint32_t b);
  /// The keyspace was replaced, or is no longer ours to publish.
  void dataset_gone(std::string_view why);

  /// Sums over the live exports, and since the server started.
  struct Stats {
    std::uint64_t exports = 0;  ///< started so far
    std::uint64_t replicas = 0;
    std::uint64_t log_bytes = 0;
    std::uint64_t pinned_bytes = 0;
    std::uint64_t slice_max_us = 0;  ///< of the main thread's CPU time, like cut_max_us
    std::uint64_t cut_max_us = 0;
    std::uint64_t direct = 0;  ///< records, as packed
    std::uint64_t packed = 0;
    std::uint64_t parts = 0;
    std::uint64_t whole_in_cut = 0;
    std::uint64_t ring_bytes = 0;
  };
  Stats stats() const;

 private:
  /// How replicas reach this server's memory there; made when first asked for, and kept.
  struct Door {
    std::unique_ptr<rdma::Fabric> fabric;
    std::unique_ptr<rdma::Listener> listener;
  };
  struct Reader {
    rdma::Token token{};
    Door* door = nullptr;
    Export* of = nullptr;
    RedisModuleBlockedClient* cut = nullptr;  ///< one that waits
  };

  static int on_opened(RedisModuleCtx* ctx, RedisModuleString** argv, int argc);
  void opened(RedisModuleCtx* ctx, std::string_view fabric);
  void open(RedisModuleCtx* ctx, const Place& place);
  void join(RedisModuleCtx* ctx, Door& door, Export& joined);
  void forget_preparations();
  void note_cut(Export::ClientId client, const protocol::CutReply& reply);
  void try_waiting_cuts();
  void hold_backlog(RedisModuleCtx* ctx, Export::ClientId client);
  void end(Export& ended);
  Export* joinable_at(const Place& place);
  Export& begin_export(const Place& place, std::unique_ptr<log::Ring> log);
  Reader& reader(Export::ClientId client);
  void disconnect(Export::ClientId client);
  void drop(Export& broken, std::string_view why);
  void capture_hidden();

  void written(std::uint32_t db, std::string_view key, const NamedChange* change,
               std::string_view by) override;
  bool follows_parts() const override;
  bool follows_parts_of(std::string_view key) const override;
  void stop_following_parts() override;
  void written_silently(std::string_view key, bool groups_only) override;
  void written_somewhere(std::string_view key) override;
  void written_anywhere(std::string_view command) override;

  std::unique_ptr<redis::Waker> waker_;
  std::map<Place, Door> doors_;
  std::map<Place, std::unique_ptr<Preparation>> preparations_;
  std::vector<std::unique_ptr<Export>> exports_;
  std::map<Export::ClientId, Reader> readers_;
  PsyncAnswers psyncs_;
  redis::HeldSettings priming_;  ///< while a replica makes this master create its backlog
  redis::HeldSettings backlog_;  ///< from a cut until that replica's stream goes on
  std::chrono::microseconds turn_began_{};  ///< CPU time when the last slices had ended
  Stats past_;                              ///< of exports that have ended
};

}  // namespace rdmasync::master
