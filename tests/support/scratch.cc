#include "tests/support/scratch.h"

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

namespace rdmasync::test {

Scratch::Scratch() {
  std::string name = (std::filesystem::temp_directory_path() / "rdmasync-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), "cannot make " + name);
  }
  path_ = name;
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace rdmasync::test
