#include "module/replica/stub_file.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "module/redis/log.h"

namespace rdmasync::replica {

StubFile::StubFile(std::filesystem::path path) : path_(std::move(path)) {}

void StubFile::remove_if_written(const std::string& token) const {
  // The token is the last thing in the stub but for the end of file and its checksum.
  constexpr std::uintmax_t kTail = 128;
  std::error_code error;
  const auto size = std::filesystem::file_size(path_, error);
  if (error) {
    return;
  }
  std::ifstream file(path_, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(size - std::min(size, kTail)));
  const std::string tail{std::istreambuf_iterator<char>(file), {}};
  if (tail.find(token) == std::string::npos) {
    return;
  }
  std::filesystem::remove(path_, error);
  redis::log_notice(
      "rdmasync: removed the handover's stub, which the server had to load from its dump file "
      "since "
      "another module does not handle I/O errors; SAVE writes a new one");
}

}  // namespace rdmasync::replica
