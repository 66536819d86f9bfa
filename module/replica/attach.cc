#include "module/replica/attach.h"

#include <hiredis/hiredis.h>
#include <sys/socket.h>

#include <array>

#include "module/redis/log.h"
#include "module/redis/rdb.h"
#include "module/replica/suitability.h"

namespace rdmasync::replica {

namespace {

constexpr std::chrono::seconds kPrimeTimeout{5};

/// Throws Error(kRefused) if the master has answered with an error instead of preparing a sync.
void check_accepted(ControlConnection& primer) {
  std::array<char, 256> line{};
  const auto got = ::recv(primer.fd(), line.data(), line.size() - 1, MSG_PEEK | MSG_DONTWAIT);
  if (got > 0 && line[0] == '-') {
    throw Error(Errc::kRefused, "the master refused PSYNC: " + std::string(line.data() + 1));
  }
  primer.check_alive();
}

/// Makes the master create its replication backlog: it does when a replica asks for its first sync,
/// and this one hangs up before the master forks for it.
void prime_backlog(ControlConnection& link, const MasterAddress& master, const OwnIdentity& own,
                   const std::stop_token& stop) {
  ControlConnection primer(master, kPrimeTimeout, stop);
  primer.command(protocol::request::Prime{});
  primer.command({"REPLCONF", "listening-port", std::to_string(own.listening_port)});
  if (!own.ip.empty()) {
    primer.command({"REPLCONF", "ip-address", own.ip});
  }
  primer.command({"REPLCONF", "capa", "eof", "capa", "psync2"});
  primer.send({"PSYNC", "?", "-1"});
  while (!say_hello(link).has_backlog) {
    check_accepted(primer);
  }
}

std::unique_ptr<rdma::Connection> connect(rdma::Fabric& fabric,
                                          const rdma::ConnectOptions& options) {
  try {
    return fabric.connect(options);
  } catch (const Error& error) {
    if (error.code() != Errc::kRefused) {
      throw;
    }
    throw Error(Errc::kRefused,
                std::string(error.what()) + "; the master listens where its rdmasync.bind says");
  }
}

Attachment attach_once(ControlConnection& link, const MasterAddress& master,
                       const std::string& name, const OwnIdentity& own,
                       const std::stop_token& stop) {
  Attachment made;
  made.fabric = rdma::make_fabric(name);
  const auto reply = link.command(protocol::request::Attach{{}, name});
  made.place = protocol::attached_from(fields_of(*reply));
  const protocol::Attached& place = made.place;
  if (!redis::rdb::loads(own.rdb_version, place.rdb_version)) {
    throw Error(Errc::kUsage,
                "this server, " + own.server + ", cannot load what the master, " + place.server +
                    ", has (RDB version " + std::to_string(own.rdb_version) + " here, " +
                    std::to_string(place.rdb_version) +
                    " there): run the same server on both, or a newer one of the same kind here");
  }
  rdma::ConnectOptions options;
  options.host = master.host;
  options.endpoint = place.endpoint;
  options.token = place.token;
  made.connection = connect(*made.fabric, options);
  // Now, while there is another fabric to take: too little memory may be lockable.
  made.records = std::make_unique<LogBuffers>(*made.fabric);
  made.records->room(1);
  if (!place.has_backlog) {
    prime_backlog(link, master, own, stop);
  }
  return made;
}

/// Another replica may have begun an export that this one came too late for: then there is a next.
Attachment attach_over(ControlConnection& link, const MasterAddress& master,
                       const std::string& name, const OwnIdentity& own,
                       const std::stop_token& stop) {
  constexpr int kMostReplicas = 32;
  for (int tries = 1;; ++tries) {
    try {
      return attach_once(link, master, name, own, stop);
    } catch (const Error& error) {
      if (error.code() != Errc::kBusy || tries == kMostReplicas) {
        throw;
      }
    }
  }
}

}  // namespace

Attachment attach(ControlConnection& link, const MasterAddress& master, const std::string& fabric,
                  const OwnIdentity& own, const std::stop_token& stop) {
  if (fabric != "auto") {
    return attach_over(link, master, fabric, own, stop);
  }
  std::string reasons;
  for (const auto candidate : rdma::fabric_names()) {
    try {
      Attachment made = attach_over(link, master, std::string(candidate), own, stop);
      redis::log_notice("rdmasync: fabric " + std::string(candidate) +
                        (reasons.empty() ? ", the best one there is" : reasons));
      return made;
    } catch (const Error& error) {
      if (error.code() != Errc::kRefused && error.code() != Errc::kResources) {
        throw;
      }
      reasons += "; not " + std::string(candidate) + ": " + error.what();
    }
  }
  throw Error(Errc::kRefused, "no fabric reaches the master" + reasons);
}

}  // namespace rdmasync::replica
