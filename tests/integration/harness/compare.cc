#include "harness/compare.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "tests/support/wait.h"

namespace rdmasync::test {
namespace {

constexpr int kDatabases = 16;

struct Snapshot {
  std::string digest;
  std::string functions;
};

std::string describe_library(const Reply& library) {
  std::string out;
  for (std::size_t i = 0; i + 1 < library.elements.size(); i += 2) {
    const std::string& name = library.elements[i].text;
    if (name == "library_name" || name == "engine" || name == "library_code") {
      out += library.elements[i + 1].text + "\n";
    }
  }
  return out;
}

Snapshot snapshot(Server& server) {
  // Not FUNCTION DUMP: with two libraries or more its order differs from process to process.
  std::set<std::string> libraries;
  for (const Reply& library : server.must("FUNCTION", "LIST", "WITHCODE").elements) {
    libraries.insert(describe_library(library));
  }
  std::string all;
  for (const std::string& library : libraries) {
    all += library + "\n";
  }
  return {digest(server), all};
}

std::string master_offset(Server& server) {
  return server.info("replication", "master_repl_offset");
}

std::string replica_offset(Server& server) {
  return server.info("replication", "slave_repl_offset");
}

std::set<std::string> scan_all(Client& client) {
  std::set<std::string> keys;
  std::string cursor = "0";
  do {
    const Reply reply = client.must("SCAN", cursor, "COUNT", 2000);
    cursor = reply.elements.at(0).text;
    for (const Reply& key : reply.elements.at(1).elements) {
      keys.insert(key.text);
    }
  } while (cursor != "0");
  return keys;
}

/// A consumer that has looked and found nothing: servers from 7.2 on, which tell so by an
/// active-time of -1, do not replicate it.
bool was_never_active(const Reply& reply) {
  for (std::size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
    if (reply.elements[i].text == "active-time") {
      return reply.elements[i + 1].number == -1;
    }
  }
  return false;
}

/// A reader that blocks becomes a consumer even where what it waited for was deleted in the same
/// transaction, and then Redis does not replicate it. Readers that block are named for it.
bool was_served_nothing(const Reply& reply) {
  const auto& fields = reply.elements;
  return fields.size() >= 4 && fields[0].text == "name" &&
         fields[1].text.starts_with("blocking-") &&
         std::any_of(fields.begin(), fields.end() - 1, [&](const Reply& field) {
           return field.text == "pel-count" && (&field)[1].number == 0;
         });
}

/// XINFO STREAM FULL without what each server counts for itself: when a consumer was last seen or
/// active there, and how the entries are spread over tree nodes.
std::string describe_stream(const Reply& reply, bool exact) {
  if (!reply.is_array()) {
    return reply.describe();
  }
  std::string out = "[";
  for (std::size_t i = 0; i < reply.elements.size(); i++) {
    const std::string& name = reply.elements[i].text;
    const bool counted = name == "entries-read" || name == "lag";
    if (name == "seen-time" || name == "active-time" || name == "radix-tree-keys" ||
        name == "radix-tree-nodes" || (counted && !exact)) {
      i++;
      continue;
    }
    if (was_never_active(reply.elements[i]) || was_served_nothing(reply.elements[i])) {
      continue;
    }
    out += describe_stream(reply.elements[i], exact) + " ";
  }
  return out + "]";
}

/// Both texts from shortly before where they part.
std::string from_difference(const std::string& left, const std::string& right) {
  constexpr std::size_t kBefore = 300;
  constexpr std::size_t kShown = 600;
  std::size_t at = 0;
  while (at < left.size() && at < right.size() && left[at] == right[at]) {
    at++;
  }
  const std::size_t begin = at > kBefore ? at - kBefore : 0;
  return "\n  on the master  ..." + left.substr(begin, kShown) + "\n  on the replica ..." +
         right.substr(begin, kShown);
}

long long now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string where(int db, const std::string& key) {
  return "db " + std::to_string(db) + " key \"" + printable(key) + "\": ";
}

/// A short string is "raw" where it has grown by APPEND or SETBIT, and "embstr" once it has been
/// loaded; which one says nothing about a sync.
bool short_string(const std::string& encoding) {
  return encoding == "\"embstr\"" || encoding == "\"raw\"";
}

class Walk {
 public:
  Walk(Server& master, Server& replica, CompareOptions options)
      : master_(master.connect()),
        replica_(replica.connect()),
        options_(options),
        databases_(kDatabases) {
    if (master.config("cluster-enabled") == "yes") {
      replica_.must("READONLY");
      databases_ = 1;
    }
  }

  /// From the master, where a fault of Valkey 9.1 may have made some. A sync does not copy them
  /// (docs/servers.md). Returns whether there were any.
  bool remove_empty_hashes() {
    bool any = false;
    for (int db = 0; db < databases_ && has_field_lives(); db++) {
      master_.must("SELECT", db);
      for (const std::string& key : scan_all(master_)) {
        if (master_.must("TYPE", key).text == "hash" && master_.must("HLEN", key).number == 0) {
          master_.must("DEL", key);
          any = true;
        }
      }
    }
    return any;
  }

  /// `values`: also compare what DEBUG DIGEST has compared already, to say where it differs.
  std::string run(bool values) {
    for (int db = 0; db < databases_; db++) {
      master_.must("SELECT", db);
      replica_.must("SELECT", db);
      if (std::string found = run_database(db, values); !found.empty()) {
        return found;
      }
    }
    return {};
  }

 private:
  std::string run_database(int db, bool values) {
    const std::set<std::string> keys = scan_all(master_);
    if (values) {
      for (const std::string& key : scan_all(replica_)) {
        if (!keys.contains(key)) {
          return where(db, key) + "is on the replica only";
        }
      }
    }
    std::vector<Command> questions;
    for (const std::string& key : keys) {
      questions.push_back({"PEXPIRETIME", key});
      questions.push_back({"TYPE", key});
      if (options_.exact) {
        questions.push_back({"OBJECT", "ENCODING", key});
      }
      if (values) {
        questions.push_back({"DEBUG", "DIGEST-VALUE", key});
      }
    }
    const std::vector<Reply> expected = run_all(master_, questions);
    const std::vector<Reply> actual = run_all(replica_, questions);
    std::vector<Command> streams;
    std::vector<std::string> hashes;
    for (std::size_t i = 0; i < questions.size(); i++) {
      const std::string& key = questions[i].back();
      const std::string left = expected[i].describe();
      const std::string right = actual[i].describe();
      if (questions[i].front() == "OBJECT" && short_string(left) && short_string(right)) {
        continue;
      }
      if (left != right && !expiring(key, db) && differ(questions[i])) {
        return where(db, key)
            .append(questions[i].front())
            .append(" is ")
            .append(left)
            .append(" on the master, ")
            .append(right)
            .append(" on the replica")
            .append(details(key));
      }
      if (expected[i].text == "hash") {
        hashes.push_back(key);
      }
      if (expected[i].text == "stream") {
        streams.push_back({"XINFO", "STREAM", key, "FULL", "COUNT", "0"});
      }
    }
    const std::vector<Reply> left = run_all(master_, streams);
    const std::vector<Reply> right = run_all(replica_, streams);
    for (std::size_t i = 0; i < streams.size(); i++) {
      const std::string here = describe_stream(left[i], options_.exact);
      const std::string there = describe_stream(right[i], options_.exact);
      if (here != there && !expiring(streams[i][2], db)) {
        return where(db, streams[i][2]) + from_difference(here, there);
      }
    }
    return run_hashes(db, hashes);
  }

  /// When each field ends, where the server has that. DEBUG DIGEST tells only that it does.
  std::string run_hashes(int db, const std::vector<std::string>& hashes) {
    if (hashes.empty() || !has_field_lives()) {
      return {};
    }
    std::vector<Command> names;
    names.reserve(hashes.size());
    for (const std::string& key : hashes) {
      names.push_back({"HKEYS", key});
    }
    std::vector<Command> questions;
    for (const Reply& fields : run_all(master_, names)) {
      const std::string& key = hashes[questions.size()];
      Command question = {"HPEXPIRETIME", key, "FIELDS", std::to_string(fields.elements.size())};
      for (const Reply& field : fields.elements) {
        question.push_back(field.text);
      }
      questions.push_back(std::move(question));
    }
    const std::vector<Reply> expected = run_all(master_, questions);
    const std::vector<Reply> actual = run_all(replica_, questions);
    for (std::size_t i = 0; i < questions.size(); i++) {
      constexpr std::size_t kFirstField = 4;
      const auto& left = expected[i].elements;
      const auto& right = actual[i].elements;
      for (std::size_t field = 0; field < left.size(); field++) {
        const long long here = left[field].number;
        const long long there = field < right.size() ? right[field].number : 0;
        const bool over = (here > 0 && here <= now_ms()) || (there > 0 && there <= now_ms());
        if (here != there && !over && !expiring(hashes[i], db)) {
          return where(db, hashes[i]) + "field \"" + printable(questions[i][kFirstField + field]) +
                 "\" ends at " + std::to_string(here) + " on the master, at " +
                 std::to_string(there) + " on the replica";
        }
      }
    }
    return {};
  }

  bool has_field_lives() {
    return !master_.must("COMMAND", "INFO", "HPEXPIRETIME").elements.at(0).is_nil();
  }

  /// Asked anew: a field of a hash may have ended between the one answer and the other.
  bool differ(const Command& question) {
    constexpr int kLooks = 3;
    for (int look = 0; look < kLooks; look++) {
      if (master_.run(question).describe() == replica_.run(question).describe()) {
        return false;
      }
    }
    return true;
  }

  /// The key's time has come while we looked: neither answer means anything.
  bool expiring(const std::string& key, int db) {
    replica_.must("SELECT", db);
    const Reply gone = master_.must("PEXPIRETIME", key);
    const Reply time = replica_.must("PEXPIRETIME", key);
    constexpr long long kNoKey = -2;
    return gone.number == kNoKey &&
           (time.number == kNoKey || (time.number > 0 && time.number <= now_ms()));
  }

  std::string details(const std::string& key) {
    std::string text;
    for (Client* client : {&master_, &replica_}) {
      const Reply type = client->command("TYPE", key);
      const Reply encoding = client->command("OBJECT", "ENCODING", key);
      const Reply dump = client->command("DUMP", key);
      text += std::string("\n  ") + (client == &master_ ? "master: " : "replica: ") + type.text +
              " " + encoding.describe() + " dump of " + std::to_string(dump.text.size()) +
              " bytes: " + dump.describe();
    }
    return text;
  }

  Client master_;
  Client replica_;
  CompareOptions options_;
  int databases_;
};

}  // namespace

std::string digest(Server& server) {
  return server.must("DEBUG", "DIGEST").text;
}

void wait_offsets_equal(Server& master, Server& replica) {
  wait_until(
      replica.name() + " has applied all of " + master.name(),
      [&] { return replica_offset(replica) == master_offset(master); },
      [&] {
        return "master at " + master_offset(master) + ", replica at " + replica_offset(replica) +
               ", link " + replica.info("replication", "master_link_status");
      });
}

std::string first_difference(Server& master, Server& replica, CompareOptions options) {
  // A field of a hash that ends between the one digest and the other is in one of them only, and in
  // neither soon.
  constexpr int kLooks = 10;
  Walk walk(master, replica, options);
  for (int look = 1;; look++) {
    Snapshot left;
    Snapshot right;
    // Keys that expire move the offset: only if it stood still does a difference mean anything. It
    // may never do for as long as a slow machine takes for the digests, for Redis's pings move it,
    // too.
    wait_until("both datasets are equal, or stand still at one offset", [&] {
      wait_offsets_equal(master, replica);
      const std::string offset = master_offset(master);
      left = snapshot(master);
      right = snapshot(replica);
      return (left.digest == right.digest && left.functions == right.functions) ||
             (master_offset(master) == offset && replica_offset(replica) == offset);
    });
    const bool differs = left.digest != right.digest;
    if (differs && walk.remove_empty_hashes()) {
      continue;
    }
    if (std::string found = walk.run(differs); !found.empty()) {
      return found;
    }
    if (left.functions != right.functions) {
      return "functions:\n" + left.functions + "on the master\n" + right.functions +
             "on the replica";
    }
    if (!differs) {
      return {};
    }
    if (look == kLooks) {
      // What has expired and is not deleted yet is in DIGEST and in the count, but not in SCAN.
      return "DEBUG DIGEST " + left.digest + " on the master, " + right.digest +
             " on the replica, but every key that SCAN shows is equal\nmaster: " +
             master.must("INFO", "keyspace").text +
             "\nreplica: " + replica.must("INFO", "keyspace").text;
    }
  }
}

}  // namespace rdmasync::test
