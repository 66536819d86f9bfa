#pragma once

#include <string>
#include <vector>

namespace rdmasync::bench {

/// A way to get a master's data to a replica.
struct Method {
  enum class Kind { kRdmasync, kNative, kGetSet };

  std::string name;
  std::string title;
  Kind kind;
  bool pipelined = false;             ///< of kGetSet
  std::vector<std::string> settings;  ///< lines of redis.conf, of both ends
};

const std::vector<Method>& all_methods();

/// Throws std::runtime_error if there is none of that name.
const Method& find_method(const std::string& name);

}  // namespace rdmasync::bench
