// A module with a data type of its own, for the tests: proof that values of other modules survive a
// sync, including those that change without any keyspace notification.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

// Only what is used here of Redis's module API, looked up by name.
struct Context;
struct String;
struct Key;
struct Io;
struct Digest;
struct Type;
struct CommandEntry;

constexpr int kOk = 0;
constexpr int kError = 1;
constexpr int kRead = 1 << 0;
constexpr int kWrite = 1 << 1;
constexpr int kHandleIoErrors = 1 << 0;
constexpr int kHandleAsyncLoad = 1 << 2;
constexpr int kHandleAtomicSlotMigration = 1 << 5;  // of Valkey; others do not know it

struct TypeMethods {
  std::uint64_t version = 4;
  void* (*load)(Io*, int);
  void (*save)(Io*, void*);
  void (*rewrite)(Io*, String*, void*);
  std::size_t (*mem_usage)(const void*);
  void (*digest)(Digest*, void*);
  void (*free)(void*);
  int (*aux_load)(Io*, int, int);
  void (*aux_save)(Io*, int);
  int aux_save_triggers;
  std::size_t (*free_effort)(String*, const void*);
  void (*unlink)(String*, const void*);
  void* (*copy)(String*, String*, const void*);
  int (*defrag)(void*, String*, void**);
  std::size_t (*mem_usage2)(void*, const void*, std::size_t);
  std::size_t (*free_effort2)(void*, const void*);
  void (*unlink2)(void*, const void*);
  void* (*copy2)(void*, const void*);
};

struct Event {
  std::uint64_t id;
  std::uint64_t data_version;
};
using EventHandler = void (*)(Context*, Event, std::uint64_t subevent, void*);

using NotificationHandler = int (*)(Context*, int event_class, const char* event, String* key);
using CommandHandler = int (*)(Context*, String**, int);

struct Api {
  int (*create_command)(Context*, const char*, CommandHandler, const char*, int, int, int);
  CommandEntry* (*get_command)(Context*, const char*);
  int (*create_subcommand)(CommandEntry*, const char*, CommandHandler, const char*, int, int, int);
  void (*set_module_attribs)(Context*, const char*, int, int);
  Type* (*create_data_type)(Context*, const char*, int, TypeMethods*);
  void (*set_module_options)(Context*, int);
  Key* (*open_key)(Context*, String*, int);
  void (*close_key)(Key*);
  int (*key_type)(Key*);
  Type* (*value_type)(Key*);
  void* (*value)(Key*);
  int (*set_value)(Key*, Type*, void*);
  const char* (*string_bytes)(const String*, std::size_t*);
  int (*reply_error)(Context*, const char*);
  int (*reply_status)(Context*, const char*);
  int (*reply_bytes)(Context*, const char*, std::size_t);
  int (*reply_null)(Context*);
  int (*wrong_arity)(Context*);
  int (*replicate_verbatim)(Context*);
  void (*save_bytes)(Io*, const char*, std::size_t);
  char* (*load_bytes)(Io*, std::size_t*);
  int (*io_error)(Io*);
  void (*free)(void*);
  void (*emit_aof)(Io*, const char*, const char*, ...);
  void (*digest_add)(Digest*, const char*, std::size_t);
  void (*digest_end)(Digest*);
  int (*subscribe)(Context*, Event, EventHandler);
  int (*listen)(Context*, int classes, NotificationHandler);
  int (*selected_db)(Context*);
  String* (*create_string)(Context*, const char*, std::size_t);
  void (*free_string)(Context*, String*);
  int (*notify)(Context*, int, const char*, String*);
  int (*replicate)(Context*, const char*, const char*, ...);
};

Api api;
Type* type = nullptr;

std::string text_of(const String* argument) {
  std::size_t length = 0;
  const char* bytes = api.string_bytes(argument, &length);
  return {bytes, length};
}

void* load(Io* io, int version) {
  if (version != 1) {
    return nullptr;
  }
  std::size_t length = 0;
  char* bytes = api.load_bytes(io, &length);
  if (bytes == nullptr || api.io_error(io) != 0) {
    return nullptr;
  }
  auto* value = new std::string(bytes, length);
  api.free(bytes);
  return value;
}

void save(Io* io, void* value) {
  const auto& text = *static_cast<std::string*>(value);
  api.save_bytes(io, text.data(), text.size());
}

void rewrite(Io* io, String* key, void* value) {
  const auto& text = *static_cast<std::string*>(value);
  api.emit_aof(io, "TESTTYPE.SET", "sb", key, text.data(), text.size());
}

void digest(Digest* into, void* value) {
  const auto& text = *static_cast<std::string*>(value);
  api.digest_add(into, text.data(), text.size());
  api.digest_end(into);
}

void* copy(String* /*from*/, String* /*to*/, const void* value) {
  return new std::string(*static_cast<const std::string*>(value));
}

void free_value(void* value) {
  delete static_cast<std::string*>(value);
}

/// The value at the key, nullptr if the key is empty; `wrong` if it holds something else.
std::string* value_at(Key* key, bool& wrong) {
  wrong = false;
  if (key == nullptr || api.key_type(key) == 0) {
    return nullptr;
  }
  wrong = api.value_type(key) != type;
  return wrong ? nullptr : static_cast<std::string*>(api.value(key));
}

constexpr const char* kWrongType = "WRONGTYPE not a testtype value";

int write_command(Context* context, String** argv, int argc, bool append) {
  if (argc != 3) {
    return api.wrong_arity(context);
  }
  Key* key = api.open_key(context, argv[1], kRead | kWrite);
  bool wrong = false;
  std::string* value = value_at(key, wrong);
  if (!wrong) {
    if (append && value != nullptr) {
      *value += text_of(argv[2]);
    } else {
      api.set_value(key, type, new std::string(text_of(argv[2])));
    }
  }
  api.close_key(key);
  if (wrong) {
    return api.reply_error(context, kWrongType);
  }
  api.replicate_verbatim(context);
  return api.reply_status(context, "OK");
}

int set_command(Context* context, String** argv, int argc) {
  return write_command(context, argv, argc, false);
}

int append_command(Context* context, String** argv, int argc) {
  return write_command(context, argv, argc, true);
}

/// TESTTYPE.BOX PUT key value: SET as a subcommand of a container that is no write command itself.
int box_put_command(Context* context, String** argv, int argc) {
  return write_command(context, argv + 1, argc - 1, false);
}

bool create_box(Context* context) {
  if (api.create_command(context, "TESTTYPE.BOX", nullptr, "", 0, 0, 0) != kOk) {
    return false;
  }
  CommandEntry* box = api.get_command(context, "TESTTYPE.BOX");
  return api.create_subcommand(box, "PUT", box_put_command, "write deny-oom", 2, 2, 1) == kOk;
}

/// A write command that names no key: it sets the key "scattered".
int scatter_command(Context* context, String** argv, int argc) {
  if (argc != 2) {
    return api.wrong_arity(context);
  }
  String* name = api.create_string(context, "scattered", std::strlen("scattered"));
  Key* key = api.open_key(context, name, kRead | kWrite);
  api.set_value(key, type, new std::string(text_of(argv[1])));
  api.close_key(key);
  api.free_string(context, name);
  api.replicate_verbatim(context);
  return api.reply_status(context, "OK");
}

/// Sets a value and calls itself a reader, but notifies, of a class that no server has yet.
int whisper_command(Context* context, String** argv, int argc) {
  constexpr int kClassToCome = 1 << 24;
  if (argc != 3) {
    return api.wrong_arity(context);
  }
  Key* key = api.open_key(context, argv[1], kRead | kWrite);
  api.set_value(key, type, new std::string(text_of(argv[2])));
  api.close_key(key);
  api.notify(context, kClassToCome, "whispered", argv[1]);
  api.replicate(context, "TESTTYPE.SET", "ss", argv[1], argv[2]);
  return api.reply_status(context, "OK");
}

int get_command(Context* context, String** argv, int argc) {
  if (argc != 2) {
    return api.wrong_arity(context);
  }
  Key* key = api.open_key(context, argv[1], kRead);
  bool wrong = false;
  const std::string* value = value_at(key, wrong);
  int result = kOk;
  if (wrong) {
    result = api.reply_error(context, kWrongType);
  } else if (value == nullptr) {
    result = api.reply_null(context);
  } else {
    result = api.reply_bytes(context, value->data(), value->size());
  }
  if (key != nullptr) {
    api.close_key(key);
  }
  return result;
}

/// What the server has told this module of its dataset and its master since it was last asked.
std::string events;

template <std::uint64_t id>
void subscribe(Context* context, EventHandler handler) {
  api.subscribe(context, {id, 1}, handler);
}

void watch(Context* context) {
  subscribe<0>(context, [](Context*, Event, std::uint64_t subevent, void*) {
    events += subevent == 0 ? "role:master " : "role:replica ";
  });
  subscribe<2>(context, [](Context*, Event, std::uint64_t subevent, void*) {
    if (subevent == 1) {
      events += "flushed ";
    }
  });
  subscribe<3>(context, [](Context*, Event, std::uint64_t subevent, void*) {
    events += "loading:" + std::to_string(subevent) + " ";
  });
  subscribe<7>(context, [](Context*, Event, std::uint64_t subevent, void*) {
    events += subevent == 0 ? "link:up " : "link:down ";
  });
}

int events_command(Context* context, String**, int) {
  const int result = api.reply_bytes(context, events.data(), events.size());
  events.clear();
  return result;
}

/// The notifications of changes since they were last asked for: class, database and name of each.
std::string heard;

int on_notification(Context* context, int event_class, const char*, String* key) {
  heard += std::to_string(event_class) + " " + std::to_string(api.selected_db(context)) + " " +
           text_of(key) + "\n";
  return kOk;
}

int heard_command(Context* context, String**, int) {
  constexpr int kKeyMiss = 1 << 11;
  constexpr int kLoaded = 1 << 12;
  constexpr int kChanges = 0x7FFFFFFC & ~(kKeyMiss | kLoaded);
  static const int subscribed = api.listen(context, kChanges, on_notification);
  (void)subscribed;
  const int result = api.reply_bytes(context, heard.data(), heard.size());
  heard.clear();
  return result;
}

bool look_up(void* context) {
  // The first member of a module context is the look-up function: part of Redis's stable ABI.
  using GetApi = int (*)(const char*, void*);
  GetApi get_api = nullptr;
  std::memcpy(&get_api, context, sizeof(get_api));
  const auto find = [&](const char* name, auto& into) {
    return get_api((std::string("RedisModule_") + name).c_str(), static_cast<void*>(&into)) == kOk;
  };
  return find("CreateCommand", api.create_command) && find("GetCommand", api.get_command) &&
         find("CreateSubcommand", api.create_subcommand) &&
         find("SetModuleAttribs", api.set_module_attribs) &&
         find("CreateDataType", api.create_data_type) &&
         find("SetModuleOptions", api.set_module_options) && find("OpenKey", api.open_key) &&
         find("CloseKey", api.close_key) && find("KeyType", api.key_type) &&
         find("ModuleTypeGetType", api.value_type) && find("ModuleTypeGetValue", api.value) &&
         find("ModuleTypeSetValue", api.set_value) && find("StringPtrLen", api.string_bytes) &&
         find("ReplyWithError", api.reply_error) &&
         find("ReplyWithSimpleString", api.reply_status) &&
         find("ReplyWithStringBuffer", api.reply_bytes) && find("ReplyWithNull", api.reply_null) &&
         find("WrongArity", api.wrong_arity) && find("ReplicateVerbatim", api.replicate_verbatim) &&
         find("SaveStringBuffer", api.save_bytes) && find("LoadStringBuffer", api.load_bytes) &&
         find("IsIOError", api.io_error) && find("Free", api.free) &&
         find("EmitAOF", api.emit_aof) && find("DigestAddStringBuffer", api.digest_add) &&
         find("DigestEndSequence", api.digest_end) &&
         find("SubscribeToServerEvent", api.subscribe) && find("CreateString", api.create_string) &&
         find("FreeString", api.free_string) && find("NotifyKeyspaceEvent", api.notify) &&
         find("Replicate", api.replicate) && find("SubscribeToKeyspaceEvents", api.listen) &&
         find("GetSelectedDb", api.selected_db);
}

}  // namespace

/// With the argument "no-io-errors" or "no-async-load" the module does not declare that it handles
/// these, as many modules do not.
// NOLINTNEXTLINE(readability-identifier-naming): Redis looks it up by this name
extern "C" __attribute__((visibility("default"))) int RedisModule_OnLoad(void* raw, String** argv,
                                                                         int argc) {
  if (!look_up(raw)) {
    return kError;
  }
  auto* context = static_cast<Context*>(raw);
  api.set_module_attribs(context, "testtype", 1, 1);
  const std::string without = argc == 0 ? "" : text_of(argv[0]);
  api.set_module_options(context, kHandleAtomicSlotMigration |
                                      (without == "no-io-errors" ? 0 : kHandleIoErrors) |
                                      (without == "no-async-load" ? 0 : kHandleAsyncLoad));
  TypeMethods methods{};
  methods.load = load;
  methods.save = save;
  methods.rewrite = rewrite;
  methods.digest = digest;
  methods.free = free_value;
  methods.copy = copy;
  type = api.create_data_type(context, "testtype-", 1, &methods);
  const bool created =
      type != nullptr &&
      api.create_command(context, "TESTTYPE.SET", set_command, "write deny-oom", 1, 1, 1) == kOk &&
      api.create_command(context, "TESTTYPE.APPEND", append_command, "write deny-oom", 1, 1, 1) ==
          kOk &&
      api.create_command(context, "TESTTYPE.SCATTER", scatter_command, "write deny-oom", 0, 0, 0) ==
          kOk &&
      api.create_command(context, "TESTTYPE.WHISPER", whisper_command, "readonly", 1, 1, 1) ==
          kOk &&
      create_box(context) &&
      api.create_command(context, "TESTTYPE.GET", get_command, "readonly", 1, 1, 1) == kOk &&
      api.create_command(context, "TESTTYPE.HEARD", heard_command, "readonly", 0, 0, 0) == kOk &&
      api.create_command(context, "TESTTYPE.EVENTS", events_command, "readonly", 0, 0, 0) == kOk;
  if (created) {
    watch(context);
  }
  return created ? kOk : kError;
}
