#include "module/replica/attach.h"

#include <hiredis/hiredis.h>
#include <sys/socket.h>

#include <array>
#include <map>
#include <sstream>

#include "module/number.h"
#include "module/redis/log.h"
#include "module/redis/rdb.h"
#include "module/token_text.h"
#include "rdmasync/log_format.h"
#include "rdmasync/protocol.h"

namespace rdmasync::replica {

namespace {

constexpr std::chrono::seconds kPrimeTimeout{5};

using Fields = std::map<std::string, std::string, std::less<>>;

Fields fields_of(const redisReply& reply) {
  Fields fields;
  for (std::size_t i = 0; i + 1 < elements_of(reply); i += 2) {
    fields.emplace(text_of(element_of(reply, i)), text_of(element_of(reply, i + 1)));
  }
  return fields;
}

const std::string& field(const Fields& fields, std::string_view name) {
  const auto found = fields.find(name);
  if (found == fields.end()) {
    throw Error(Errc::kProtocol, "the master's reply to ATTACH lacks '" + std::string(name) + "'");
  }
  return found->second;
}

template <typename Number>
Number number(std::string_view name, std::string_view text) {
  const auto value = to_number<Number>(text);
  if (!value) {
    throw Error(Errc::kProtocol, "the master's reply to ATTACH has '" + std::string(text) +
                                     "' for '" + std::string(name) + "', where a number belongs");
  }
  return *value;
}

std::uint64_t number(const Fields& fields, std::string_view name) {
  return number<std::uint64_t>(name, field(fields, name));
}

std::vector<std::uint32_t> numbers(const Fields& fields, std::string_view name) {
  std::vector<std::uint32_t> all;
  std::istringstream text(field(fields, name));
  for (std::string one; std::getline(text, one, ',');) {
    all.push_back(number<std::uint32_t>(name, one));
  }
  return all;
}

/// Throws Error(kProtocol) if there are not as many rkeys as parts.
void check_log(const Attachment& made) {
  const std::uint64_t size = log_format::kHeaderSize + made.capacity;
  if (made.part_size == 0 || made.log_rkeys.size() != (size - 1) / made.part_size + 1) {
    throw Error(Errc::kProtocol, "the master's reply to ATTACH has too few rkeys, or too many");
  }
}

/// Throws Error(kRefused) if the master has answered with an error instead of preparing a sync.
void check_accepted(MasterLink& primer) {
  std::array<char, 256> line{};
  const auto got = ::recv(primer.fd(), line.data(), line.size() - 1, MSG_PEEK | MSG_DONTWAIT);
  if (got > 0 && line[0] == '-') {
    throw Error(Errc::kRefused, "the master refused PSYNC: " + std::string(line.data() + 1));
  }
  primer.check_alive();
}

/// Makes the master create its replication backlog: it does when a replica asks for its first sync,
/// and this one hangs up before the master forks for it.
void prime_backlog(MasterLink& link, const MasterAddress& master, const std::stop_token& stop) {
  link.command({protocol::kExportCommand, protocol::kPrime});
  {
    MasterLink primer(master, kPrimeTimeout, stop);
    primer.command({"REPLCONF", "capa", "eof", "capa", "psync2"});
    primer.send({"PSYNC", "?", "-1"});
    const auto has_backlog = [&] {
      const auto reply = link.command({protocol::kExportCommand, protocol::kOffset});
      return integer_of(element_of(*reply, 1)) != 0;
    };
    while (!has_backlog()) check_accepted(primer);
  }
  link.command({protocol::kExportCommand, protocol::kPrimed});
}

Attachment attach_over(MasterLink& link, const MasterAddress& master, const std::string& name,
                       const Loader& own, const std::stop_token& stop) {
  Attachment made;
  made.fabric = rdma::make_fabric(name);
  made.fabric_name = name;
  const auto reply = link.command(
      {protocol::kExportCommand, protocol::kAttach, std::to_string(protocol::kVersion), name});
  const Fields fields = fields_of(*reply);
  made.export_number = field(fields, protocol::kAttachExport);
  made.session = number(fields, protocol::kAttachSession);
  made.log_address = number(fields, protocol::kAttachLog);
  made.log_rkeys = numbers(fields, protocol::kAttachRkeys);
  made.part_size = number(fields, protocol::kAttachPartSize);
  made.capacity = number(fields, protocol::kAttachCapacity);
  check_log(made);
  made.rdb_version =
      number<int>(protocol::kAttachRdbVersion, field(fields, protocol::kAttachRdbVersion));
  if (!redis::rdb::loads(own.rdb_version, made.rdb_version)) {
    throw Error(Errc::kUsage,
                "this server, " + own.server + ", cannot load what the master, " +
                    field(fields, protocol::kAttachServer) + ", has (RDB version " +
                    std::to_string(own.rdb_version) + " here, " + std::to_string(made.rdb_version) +
                    " there): run the same server on both, or a newer one of the same "
                    "kind here");
  }
  made.modules = field(fields, protocol::kAttachModules);
  rdma::ConnectOptions options;
  options.host = master.host;
  options.endpoint = field(fields, protocol::kAttachEndpoint);
  options.token = token_from_text(field(fields, protocol::kAttachToken));
  made.connection = made.fabric->connect(options);
  // Now, while there is another fabric to take: too little memory may be lockable.
  made.records = std::make_unique<RecordStore>(*made.fabric);
  made.records->room(1);
  if (field(fields, protocol::kAttachBacklog) == "0") prime_backlog(link, master, stop);
  return made;
}

}  // namespace

Attachment attach(MasterLink& link, const MasterAddress& master, const std::string& fabric,
                  const Loader& own, const std::stop_token& stop) {
  if (fabric != "auto") return attach_over(link, master, fabric, own, stop);
  std::string reasons;
  for (const auto candidate : rdma::fabric_names()) {
    try {
      Attachment made = attach_over(link, master, std::string(candidate), own, stop);
      redis::log_notice("rdmasync: fabric " + made.fabric_name +
                        (reasons.empty() ? ", the best one there is" : reasons));
      return made;
    } catch (const Error& error) {
      if (error.code() != Errc::kRefused && error.code() != Errc::kResources) throw;
      reasons += "; not " + std::string(candidate) + ": " + error.what();
    }
  }
  throw Error(Errc::kRefused, "no fabric reaches the master" + reasons);
}

}  // namespace rdmasync::replica
