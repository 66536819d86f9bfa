#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "module/log/ring.h"
#include "module/master/capture.h"
#include "module/master/convergence.h"
#include "module/master/cut_budget.h"
#include "module/master/dirty_keys.h"
#include "module/master/open_transactions.h"
#include "module/master/partial_keys.h"
#include "module/master/parts.h"
#include "module/master/publisher.h"
#include "module/master/registrar.h"
#include "module/master/scan.h"
#include "module/master/slice.h"
#include "module/protocol/replies.h"

namespace rdmasync::master {

/// One pass over the keyspace and everything written since, for the replicas that joined it.
/// Main thread only.
class Export {
 public:
  using Clock = std::chrono::steady_clock;
  using ClientId = unsigned long long;

  struct Options {
    std::uint64_t number;
    std::size_t pinned_memory;  ///< bytes registered outside of it at one time
    Capture::Options capture;
    std::size_t part_elements;  ///< from which a collection is published in parts
    std::uint32_t databases;
    std::chrono::milliseconds join_window;
    int max_rounds;
    std::chrono::milliseconds cut_max;  ///< of the main thread's CPU time
  };

  /// `wake` asks for a call of pump(), from any thread, and may do so beyond the end.
  Export(rdma::Fabric& fabric, std::unique_ptr<log::Ring> log, Options options,
         std::function<void()> wake);
  Export(const Export&) = delete;
  Export& operator=(const Export&) = delete;
  ~Export();

  // The replicas.
  bool joinable() const;
  void join(ClientId client);
  void leave(ClientId client);
  std::size_t replicas() const { return sessions_.size(); }
  void acknowledge(ClientId client, std::uint64_t position);
  /// It has said something.
  void heard(ClientId client) { sessions_.at(client).heard = Clock::now(); }
  /// Replicas that have said nothing for so long.
  std::vector<ClientId> silent(std::chrono::seconds timeout) const;

  /// The command CUT: captures what is dirty, or asks for another round. Throws Error(kResources)
  /// if rounds do not help and the cut would take too long, Error(kBusy) if this server is a
  /// replica without a link. Nothing: some keys are hidden, and it is to be tried again when
  /// waits_for_hidden() is over, without a context.
  std::optional<protocol::CutReply> cut(RedisModuleCtx* ctx, ClientId client);

  /// Publishes until the slice is over, or until there is nothing to do or no room. Asks for
  /// another call only if there is more to do.
  void pump(Slice slice);

  /// Whether hidden keys are waited for, and what captures them: to be called when it may be this
  /// server's own master whose command is about to run, as it sees them.
  bool waits_for_hidden() const { return dirty_.any_hidden() && !in_cluster_; }
  void capture_hidden(Slice slice);

  // What happens in the keyspace.
  /// `change`: all that was written of the key, or null; `by`: what tells of it.
  void written(std::uint32_t db, std::string_view key, const NamedChange* change,
               std::string_view by);
  /// Whether it matters what a command changes of a key.
  bool follows_parts() const { return parts_.any(); }
  bool follows_parts_of(std::string_view key) const { return parts_.any_named(key); }
  void stop_following_parts();
  void written_silently(std::string_view key, bool groups_only);
  void written_somewhere(std::string_view key);
  void written_anywhere(std::string_view command);
  void flushed(std::uint32_t db);
  void swapped(std::uint32_t a, std::uint32_t b);

  const rdma::Fabric& fabric() const { return fabric_; }

  // For the operator.
  const Options& options() const { return options_; }
  const log::Ring& log() const { return *ring_; }
  const Publisher& publisher() const { return publisher_; }
  std::uint64_t cut_max_us() const { return cut_max_us_; }
  /// Large collections that were copied as a whole at a cut.
  std::uint64_t whole_in_cut() const { return whole_in_cut_; }

 private:
  struct Session {
    explicit Session(int max_rounds) : convergence(max_rounds) {}

    std::uint64_t acknowledged = 0;
    Clock::time_point heard = Clock::now();
    Convergence convergence;
  };

  bool step();
  void look_at_transactions();
  void release_acknowledged();
  std::size_t keys_left() const {
    return dirty_.size() + dirty_.silent().size() + parts_.changes();
  }
  void mark_whole(std::uint32_t db, std::string_view key);
  /// To mark, or to capture, what cannot be published in parts any more.
  Parts::Whole mark_dirty();
  Parts::Whole capture_as(Capture::Mode mode);
  bool cut_is_small();
  void begin_round();
  protocol::CutReply ask_for_a_round(Session& session);
  protocol::CutReply ask_to_see_hidden(Session& session);
  /// What would take too long, if so: then some of it is captured, and the rest is as dirty as it
  /// was.
  std::optional<std::string> capture_for_cut(CutBudget& budget);
  std::optional<std::string> capture_everything_dirty(CutBudget& budget);
  /// Counts it, and tells the operator, if it is large.
  void tell_of_whole(std::uint32_t db, const std::string& name);
  /// The database in which the stream goes on after what this command does; nothing: it must be a
  /// command.
  std::optional<std::uint32_t> begin_cut(RedisModuleCtx* ctx);
  Capture::Mode mode() const {
    return packed_only_ ? Capture::Mode::kPacked : Capture::Mode::kDirect;
  }
  Capture::Outcome capture_now(std::uint32_t db, const std::string& name, Capture::Mode mode);

  rdma::Fabric& fabric_;
  Options options_;
  std::function<void()> wake_;
  std::unique_ptr<log::Ring> ring_;
  std::unique_ptr<Registrar> registrar_;
  Publisher publisher_;
  PartialKeys large_strings_;
  Capture capture_;
  Parts parts_;
  DirtyKeys dirty_;
  Scan scan_;
  OpenTransactions transactions_;
  bool scan_begun_ = false;
  bool scan_again_ = false;     ///< writes that nobody saw may have followed it
  std::string wrote_anywhere_;  ///< the last command for which that is so
  int scans_for_it_ = 0;
  bool in_round_ = true;  ///< the scan is the first round
  long long rounds_ = 1;  ///< begun
  bool packed_only_ = false;
  bool in_cluster_;
  std::map<ClientId, Session> sessions_;
  Clock::time_point started_ = Clock::now();
  std::uint64_t cut_max_us_ = 0;
  std::uint64_t whole_in_cut_ = 0;
};

}  // namespace rdmasync::master
