#include "rdma/fabric.h"

#include <sys/random.h>

#include <cerrno>

#include "rdma/emulated/fabric.h"
#include "rdma/system.h"
#include "rdma/verbs/verbs_fabric.h"

namespace rdmasync::rdma {

Token random_token() {
  Token token{};
  // Up to 256 bytes come whole, once the system's source is seeded.
  ssize_t got = 0;
  do {
    got = getrandom(token.data(), token.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(token.size())) {
    throw Error(Errc::kResources, with_errno("cannot read the system's random source"));
  }
  return token;
}

std::vector<std::string_view> fabric_names() {
  return {"verbs", "cma", "tcp"};
}

std::unique_ptr<Fabric> make_fabric(std::string_view name) {
  if (name == "verbs") {
    return make_verbs_fabric();
  }
  if (name == "cma") {
    return make_cma_fabric();
  }
  if (name == "tcp") {
    return make_tcp_fabric();
  }
  throw Error(Errc::kUsage, "no such fabric: " + std::string(name));
}

}  // namespace rdmasync::rdma
