#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "module/protocol/replies.h"
#include "module/replica/attach.h"
#include "module/replica/control_connection.h"
#include "module/replica/native_link.h"
#include "module/replica/own_link.h"
#include "module/replica/stream.h"
#include "module/replica/surroundings.h"

namespace rdmasync::replica {

class Load;

/// A copy that is complete, which the server loads, or has loaded, as one of a history of its own.
struct Loaded {
  std::string session;     ///< the replication id of that history
  std::int64_t begin = 0;  ///< the offset that it is loaded at
  // Of the master's stream, which the server is to go on with.
  std::string replication_id;
  std::int64_t cut = 0;
  std::shared_ptr<const Load> load;  ///< null once it was seen to be over
};

/// One sync, over one control connection: a master's dataset becomes this server's, which then goes
/// on with that master's stream. For the session's thread. Throws Error.
class Sync {
 public:
  Sync(ControlConnection& control, NativeLink& native, OwnLink& own, const MasterAddress& master,
       const OwnFacts& facts, const Surroundings& around, std::stop_token stop);
  Sync(const Sync&) = delete;
  Sync& operator=(const Sync&) = delete;
  ~Sync() = default;

  /// Returns when the server has taken up the master's stream.
  void run();
  /// The rest of one whose copy the server has loaded.
  void resume(Loaded loaded);

  /// As soon as that is complete. Where what follows fails, it can be resumed.
  std::optional<Loaded> take_loaded() { return std::exchange(loaded_, std::nullopt); }

 private:
  // The copy is complete before the server loads it, and takes the place of what it has.
  void staged(Attachment attachment);
  // The server loads it as it comes. It has nothing, or not any more.
  void streamed(Attachment attachment);

  Attachment attach();
  protocol::CutReply read_to_cut(Attachment attachment, Sink& sink);
  void check();
  /// Until the PSYNC of the server has come, and is answered with this stub, and so many insertions
  /// behind it. At which offset.
  std::int64_t answer(const std::string& session, const std::string& stub, std::int64_t inserts);
  void wait_for_load();
  void wait_for_insertion();
  /// The server's offset is still that of its FULLRESYNC: filler brings it to the cut.
  void fill();
  void check_is_continued();
  void continue_natively();
  bool psync_waits_again();

  void enter(State state) { around_.enter(state, stop_); }
  std::string master_name() const;

  ControlConnection& control_;
  NativeLink& native_;
  OwnLink& own_;
  const MasterAddress& master_;
  const OwnFacts& facts_;
  const Surroundings& around_;
  std::stop_token stop_;
  std::shared_ptr<Stream> stream_;  ///< while the server loads from it
  std::optional<Loaded> loaded_;
  std::chrono::steady_clock::time_point next_question_{};
};

}  // namespace rdmasync::replica
