#include "module/replica/suitability.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <sstream>

#include "module/redis/rdb.h"
#include "rdmasync/error.h"

namespace rdmasync::replica {

namespace {

std::set<std::string> words_of(const std::string& text) {
  std::istringstream words(text);
  return {std::istream_iterator<std::string>(words), {}};
}

/// The names in `there` that `here` lacks, each after a space.
std::string missing_in(const std::string& here, const std::string& there) {
  const auto own = words_of(here);
  std::string missing;
  for (const std::string& name : words_of(there)) {
    if (!own.contains(name)) {
      missing += " " + name;
    }
  }
  return missing;
}

}  // namespace

protocol::Hello say_hello(ControlConnection& link) {
  return protocol::hello_from(fields_of(*link.command(protocol::request::Hello{})));
}

void check_master(ControlConnection& link, const std::string& name, const std::string& own_run_id) {
  try {
    if (say_hello(link).run_id == own_run_id) {
      throw Error(Errc::kUsage, name + " is this very server itself");
    }
  } catch (const Error& error) {
    switch (error.code()) {
      case Errc::kUnknownCommand:
        throw Error(Errc::kUsage, "the master " + name +
                                      " has no rdmasync module: load it there too, with "
                                      "'loadmodule /path/to/rdmasync.so' in its redis.conf");
      case Errc::kPeerLost:  // a server that expects TLS sends an alert, or just hangs up
        throw Error(Errc::kPeerLost, std::string(error.what()) +
                                         "; if that is its tls-port: rdmasync does not use TLS, "
                                         "give the master's 'port'");
      case Errc::kLogin:
        throw Error(Errc::kUsage, "the master " + name +
                                      " wants a password: set masterauth (and masteruser) here");
      case Errc::kPermission:
        throw Error(Errc::kUsage, std::string(error.what()) +
                                      "; give masteruser +rdmasync.export +psync +replconf +ping");
      default:
        throw;
    }
  }
}

Suitability::Suitability(const OwnFacts& facts, const std::string& of_master)
    : databases_(facts.databases), missing_(missing_in(facts.modules, of_master)) {}

void Suitability::check_database(std::uint32_t db) const {
  if (db >= databases_) {
    throw Error(Errc::kUsage, "the master has keys in database " + std::to_string(db) +
                                  ": raise 'databases' on this server");
  }
}

void Suitability::check(std::uint32_t db, std::string_view key, const Incoming& incoming) const {
  check_database(db);
  if (missing_.empty() || incoming.is_value() || incoming.in_parts) {
    return;
  }
  // A value of a type that it does not know would end the server; of one that this build does not
  // know nobody can tell.
  const char type = type_of(incoming);
  if (type == redis::rdb::kTypeModule || !redis::rdb::is_known_type(type)) {
    throw Error(Errc::kUsage,
                "the master has values of modules' types, such as the key '" + std::string(key) +
                    "', and modules that are not loaded here:" + missing_ + "; load them");
  }
}

void Suitability::check(const Staging& staging) const {
  for (const auto& [db, keys] : staging.databases()) {
    keys.for_each([&, db = db](std::string_view key, const Incoming& incoming, const auto&) {
      check(db, key, incoming);
    });
  }
}

}  // namespace rdmasync::replica
