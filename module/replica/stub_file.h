#pragma once

#include <filesystem>
#include <string>

namespace rdmasync::replica {

/// Sees to it that the stub RDB of a handover never stays as the server's dump.rdb, where it would
/// be a lost dataset at the next start.
///
/// The server loads the stub without a file, unless another module with a data type does not
/// declare that it handles I/O errors; no API tells of that beforehand. Any thread.
class StubFile {
 public:
  /// Before the load. `path` is where the server keeps its dump.
  explicit StubFile(std::filesystem::path path);

  /// After the load: removes the file if the server has made it from the stub with this token.
  void remove_if_written(const std::string& token) const;

 private:
  std::filesystem::path path_;
};

}  // namespace rdmasync::replica
