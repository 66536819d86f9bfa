#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "module/redis/commands_called.h"
#include "module/redis/owned.h"

/// What the module asks of the server by its own commands. Main thread.
namespace rdmasync::redis {

/// Calls a command. Throws Error(kRefused) with the server's error reply, or if the server did not
/// run it: so a null reply always means that there is no such key.
Reply call(RedisModuleCtx* ctx, const CalledCommand& command,
           std::initializer_list<std::string_view> args);
Reply call(RedisModuleCtx* ctx, const CalledCommand& command,
           std::span<const std::string_view> args);
Reply call(RedisModuleCtx* ctx, const CalledCommand& command,
           std::span<RedisModuleString* const> args);

/// SET. Of a value that is a number the server makes one only if nobody else holds it: so it is
/// given the bytes.
void set(RedisModuleCtx* ctx, std::string_view name, std::string_view value);

/// CONFIG GET of one name; empty if the server does not know it.
std::string config_get(RedisModuleCtx* ctx, std::string_view name);
/// CONFIG SET; throws Error(kRefused).
void config_set(RedisModuleCtx* ctx, std::string_view name, std::string_view value);

/// One section of INFO, by field.
class Info {
 public:
  explicit Info(const char* section);
  std::string text(const char* field) const;
  std::int64_t number(const char* field) const;

 private:
  ServerInfo data_;
};

/// Whether this server has a master.
bool is_replica();
/// Closes the link to the master: the server opens another, and asks for what it lacks.
void renew_link();
/// Whether it keeps the end of its stream, for partial resyncs.
bool has_backlog();

/// Whether it runs in cluster mode.
bool in_cluster();
/// CLUSTER MIGRATESLOTS, since Valkey 9.0.
bool has_migrateslots();

struct ClusterState {
  bool is_up = false;
  bool slots_migrate = false;  ///< as a whole, to or from this server
};
/// In cluster mode only.
ClusterState cluster_state();

/// How many databases it has, which its directive `databases` does not tell in cluster mode.
std::uint32_t databases();

/// How many keys there are in each database that has any.
std::map<std::uint32_t, std::uint64_t> keys_by_database();

/// Such as "Redis 8.0.6".
std::string server_name_and_version();

/// The version in the footer of a DUMP payload: that of the RDB files this server writes.
int rdb_version(RedisModuleCtx* ctx);

/// The names of the modules that are loaded, with spaces between them.
std::string module_names(RedisModuleCtx* ctx);

/// The first module that keeps this server from loading an RDB without a file, beside its dataset;
/// empty if none does.
std::string module_that_needs_files();

/// FUNCTION DUMP: RDB opcodes of every library, and a footer.
std::string dump_functions(RedisModuleCtx* ctx);

/// DUMP ends in two bytes of version and eight of checksum.
inline constexpr std::size_t kDumpFooter = 10;

}  // namespace rdmasync::redis
