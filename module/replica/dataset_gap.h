#pragma once

namespace rdmasync::replica {

/// The moment in which this replica's old dataset is gone and the next one is not there, and the
/// server does not load: clients get -LOADING all the same. Main thread only.
class DatasetGap {
 public:
  DatasetGap() = delete;

  static bool now() { return open; }
  static void begin() { open = true; }
  static void end() { open = false; }

 private:
  static inline bool open = false;  // every command of every client asks for it
};

}  // namespace rdmasync::replica
