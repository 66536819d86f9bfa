#include "module/config.h"

#include <array>
#include <cstdint>
#include <vector>

#include "module/redis/log.h"
#include "module/redis/owned.h"
#include "module/redis/server.h"
#include "rdma/fabric.h"
#include "rdmasync/error.h"

namespace rdmasync {

namespace {

Config g_config;

constexpr long long kMiB = 1LL << 20;
constexpr long long kTiB = 1LL << 40;

struct Number {
  const char* name;
  long long Config::*member;
  long long initial;
  long long least;
  long long most;
  unsigned flags;
};

// Each is read when an export or a sync starts, or at every slice: CONFIG SET is enough.
constexpr auto kNumbers = std::to_array<Number>({
    {"export-memory", &Config::export_memory, 64 * kMiB, kMiB, kTiB, redis::kConfigMemory},
    {"direct-threshold", &Config::direct_threshold, 64 << 10, 128, kTiB, redis::kConfigMemory},
    {"part-elements", &Config::part_elements, 1024, 2, kTiB, redis::kConfigDefault},
    {"pinned-memory", &Config::pinned_memory, 256 * kMiB, kMiB, kTiB, redis::kConfigMemory},
    {"slice-us", &Config::slice_us, 500, 10, 100'000, redis::kConfigDefault},
    {"replica-timeout", &Config::replica_timeout_s, 60, 1, 86'400, redis::kConfigDefault},
    {"join-window", &Config::join_window_ms, 100, 0, 60'000, redis::kConfigDefault},
    {"max-rounds", &Config::max_rounds, 8, 1, 1000, redis::kConfigDefault},
    {"cut-max-ms", &Config::cut_max_ms, 1000, 1, 3'600'000, redis::kConfigDefault},
});

struct Switch {
  const char* name;
  bool Config::*member;
  bool initial;
};

constexpr auto kSwitches = std::to_array<Switch>({
    {"accelerate", &Config::accelerate, true},
    {"keep-old-data", &Config::keep_old_data, true},
    {"huge-pages", &Config::huge_pages, true},
    {"debug", &Config::debug, false},
});

struct Text {
  const char* name;
  std::string Config::*member;
  unsigned flags;
  /// Throws Error(kUsage) to refuse a new value.
  void (*check)(const std::string& value);
};

void check_slaveof(const std::string& value) {
  const auto space = value.find(' ');
  const bool two_words = space != std::string::npos && space > 0 && space + 1 < value.size() &&
                         value.find(' ', space + 1) == std::string::npos;
  if (!value.empty() && !two_words) {
    throw Error(Errc::kUsage, "rdmasync.slaveof is \"host port\", or empty");
  }
}

constexpr auto kTexts = std::to_array<Text>({
    {"bind", &Config::bind, redis::kConfigDefault, nullptr},
    {"slaveof", &Config::slaveof, redis::kConfigDefault, check_slaveof},
});

/// "auto" and then the fabrics of this build: the values of rdmasync.fabric.
const std::vector<std::string>& fabric_choices() {
  static const std::vector<std::string> choices = [] {
    std::vector<std::string> names = {"auto"};
    for (const auto name : rdma::fabric_names()) {
      names.emplace_back(name);
    }
    return names;
  }();
  return choices;
}

bool register_numbers(RedisModuleCtx* ctx) {
  const auto get = [](const char*, void* data) {
    return g_config.*(static_cast<const Number*>(data)->member);
  };
  const auto set = [](const char*, long long value, void* data, RedisModuleString**) {
    g_config.*(static_cast<const Number*>(data)->member) = value;
    return redis::kOk;
  };
  for (const Number& number : kNumbers) {
    g_config.*number.member = number.initial;
    if (redis::RegisterNumericConfig(ctx, number.name, number.initial, number.flags, number.least,
                                     number.most, get, set, nullptr,
                                     const_cast<Number*>(&number)) != redis::kOk) {
      return false;
    }
  }
  return true;
}

RedisModuleString* get_text(const char*, void* data) {
  // The server takes no ownership, so the string lives here until it is asked for again.
  static redis::String answer;
  answer = redis::make_string(g_config.*(static_cast<const Text*>(data)->member));
  return answer.get();
}

int set_text(const char*, RedisModuleString* value, void* data, RedisModuleString** error) {
  const auto* text = static_cast<const Text*>(data);
  try {
    const std::string wanted(redis::view(value));
    if (text->check != nullptr) {
      text->check(wanted);
    }
    g_config.*text->member = wanted;
    return redis::kOk;
  } catch (const std::exception& failure) {
    *error = redis::make_string(failure.what()).release();
    return redis::kErr;
  }
}

bool register_texts(RedisModuleCtx* ctx) {
  for (const Text& text : kTexts) {
    if (redis::RegisterStringConfig(ctx, text.name, "", text.flags, get_text, set_text, nullptr,
                                    const_cast<Text*>(&text)) != redis::kOk) {
      return false;
    }
  }
  return true;
}

bool register_fabric(RedisModuleCtx* ctx) {
  std::vector<const char*> names;
  std::vector<int> values;
  for (const auto& choice : fabric_choices()) {
    names.push_back(choice.c_str());
    values.push_back(static_cast<int>(values.size()));
  }
  g_config.fabric = "auto";
  const auto get = [](const char*, void*) {
    const auto& choices = fabric_choices();
    for (std::size_t i = 0; i < choices.size(); ++i) {
      if (choices[i] == g_config.fabric) {
        return static_cast<int>(i);
      }
    }
    return 0;
  };
  const auto set = [](const char*, int value, void*, RedisModuleString**) {
    g_config.fabric = fabric_choices().at(static_cast<std::size_t>(value));
    return redis::kOk;
  };
  return redis::RegisterEnumConfig(ctx, "fabric", 0, redis::kConfigDefault, names.data(),
                                   values.data(), static_cast<int>(names.size()), get, set, nullptr,
                                   nullptr) == redis::kOk;
}

bool register_switches(RedisModuleCtx* ctx) {
  const auto get = [](const char*, void* data) {
    return static_cast<int>(g_config.*(static_cast<const Switch*>(data)->member));
  };
  const auto set = [](const char*, int value, void* data, RedisModuleString**) {
    g_config.*(static_cast<const Switch*>(data)->member) = value != 0;
    return redis::kOk;
  };
  for (const Switch& one : kSwitches) {
    g_config.*one.member = one.initial;
    if (redis::RegisterBoolConfig(ctx, one.name, static_cast<int>(one.initial),
                                  redis::kConfigDefault, get, set, nullptr,
                                  const_cast<Switch*>(&one)) != redis::kOk) {
      return false;
    }
  }
  return true;
}

/// `loadmodule rdmasync.so name value ...`: the same directives without their prefix.
bool apply_load_arguments(RedisModuleCtx* ctx, RedisModuleString** argv, int argc) {
  try {
    if (argc % 2 != 0) {
      throw Error(Errc::kUsage, "a name without a value");
    }
    for (int i = 0; i < argc; i += 2) {
      redis::config_set(ctx, "rdmasync." + std::string(redis::view(argv[i])),
                        redis::view(argv[i + 1]));
    }
    return true;
  } catch (const Error& error) {
    redis::log_warning(std::string("rdmasync: arguments of the loadmodule line: ") + error.what());
    return false;
  }
}

}  // namespace

const Config& config() {
  return g_config;
}

void forget_slaveof() {
  g_config.slaveof.clear();
}

bool register_configs(RedisModuleCtx* ctx, RedisModuleString** argv, int argc) {
  if (!register_numbers(ctx) || !register_texts(ctx) || !register_fabric(ctx) ||
      !register_switches(ctx)) {
    redis::log_warning("rdmasync: its directives cannot be registered");
    return false;
  }
  if (redis::LoadConfigs(ctx) != redis::kOk) {
    return false;  // the server has logged why
  }
  return apply_load_arguments(ctx, argv, argc);
}

}  // namespace rdmasync
