#pragma once

#include <cstdint>
#include <exception>
#include <vector>

#include "module/master/capture.h"
#include "module/master/dirty_keys.h"
#include "module/master/parts.h"

namespace rdmasync::master {

/// One pass over every key of every database, some buckets at a time. Main thread only.
class Scan {
 public:
  Scan(Capture& capture, Parts& parts, DirtyKeys& dirty, std::uint32_t databases);

  /// Publishes the keys of the next buckets; false once the pass is over.
  bool step();
  bool done() const;
  void restart();
  std::uint64_t keys_seen() const { return seen_; }

  /// The contents of the databases changed places: so does how far each was scanned.
  void swap(std::uint32_t a, std::uint32_t b);

 private:
  struct Pass {
    redis::ScanCursor cursor;
    bool done = false;
  };
  void next_bucket(Pass& pass);
  void visit(RedisModuleString* name, RedisModuleKey* key);

  Capture& capture_;
  Parts& parts_;
  DirtyKeys& dirty_;
  std::vector<Pass> passes_;
  std::uint32_t db_ = 0;
  std::int64_t now_ms_ = 0;
  std::uint64_t seen_ = 0;
  bool step_is_full_ = false;
  std::exception_ptr failure_;
};

}  // namespace rdmasync::master
