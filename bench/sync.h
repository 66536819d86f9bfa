#pragma once

#include <filesystem>
#include <string>

#include "bench/options.h"
#include "bench/report.h"

namespace rdmasync::bench {

enum class Method {
  kRdmasync,
  kNativeDefault,
  kNativeBest,
};

std::string title_of(Method method);

/// One sync, with a new master filled anew and an empty replica, both gone afterwards.
Outcome run_sync(Method method, const Options& options, const std::filesystem::path& scratch);

}  // namespace rdmasync::bench
