#include "bench/measure/method.h"

#include <stdexcept>

namespace rdmasync::bench {
namespace {

std::vector<std::string> with_best(std::vector<std::string> settings) {
  settings.insert(settings.begin(),
                  {"repl-diskless-sync yes", "repl-diskless-sync-delay 0",
                   "repl-diskless-load on-empty-db", "rdbcompression no", "rdbchecksum no"});
  return settings;
}

}  // namespace

const std::vector<Method>& all_methods() {
  using Kind = Method::Kind;
  static const std::vector<Method> methods{
      {"slaveof-disk", "native, disk", Kind::kNative, false, {"repl-diskless-sync no"}},
      // What Redis 7 does if it is told nothing: it waits, and the replica writes a file.
      {"slaveof-diskless", "native, default", Kind::kNative, false, {}},
      {"slaveof-diskless-best", "native, best", Kind::kNative, false, with_best({})},
      // What newer servers have besides: of Redis since 8.0, and of Valkey since 8.0.
      {"slaveof-rdb-channel", "native, best, RDB channel", Kind::kNative, false,
       with_best({"repl-rdb-channel yes"})},
      {"slaveof-dual-channel", "native, best, dual channel", Kind::kNative, false,
       with_best({"dual-channel-replication-enabled yes"})},
      {"get-set", "GET and SET", Kind::kGetSet, false, {}},
      {"get-set-pipelined", "GET and SET, pipelined", Kind::kGetSet, true, {}},
      {"rdmasync", "rdmasync", Kind::kRdmasync, false, {}},
      {"rdmasync-cma", "rdmasync, cma", Kind::kRdmasync, false, {"rdmasync.fabric cma"}},
      {"rdmasync-tcp", "rdmasync, tcp", Kind::kRdmasync, false, {"rdmasync.fabric tcp"}},
      {"rdmasync-verbs", "rdmasync, verbs", Kind::kRdmasync, false, {"rdmasync.fabric verbs"}},
  };
  return methods;
}

const Method& find_method(const std::string& name) {
  std::string names;
  for (const Method& method : all_methods()) {
    if (method.name == name) {
      return method;
    }
    names += " " + method.name;
  }
  throw std::runtime_error("there is no method " + name + "; there are" + names);
}

}  // namespace rdmasync::bench
