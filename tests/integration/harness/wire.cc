#include "harness/wire.h"

#include <cstdlib>
#include <stdexcept>

namespace rdmasync::test {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : value;
}

}  // namespace

bool has_wire() {
  return !variable("RDMASYNC_TEST_WIRE").empty();
}

std::string address_on_wire() {
  return variable("RDMASYNC_TEST_RDMA_ADDRESS");
}

void wire(const std::string& option) {
  const std::string command = variable("RDMASYNC_TEST_WIRE") + " " + option;
  if (std::system(command.c_str()) != 0) {  // NOLINT(cert-env33-c): the test's own script
    throw std::runtime_error("failed: " + command);
  }
}

}  // namespace rdmasync::test
