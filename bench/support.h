#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "tests/support/client.h"
#include "tests/support/process.h"
#include "tests/support/scratch.h"
#include "tests/support/server.h"
#include "tests/support/wait.h"

/// What the bench has from the tests' support.
namespace rdmasync::bench {

using test::Client;
using test::Fields;
using test::handle_interrupts;
using test::interrupted;
using test::output_of;
using test::Process;
using test::RawReply;
using test::Reply;
using test::Scratch;
using test::Server;
using test::ServerOptions;
using test::throw_if_interrupted;
using test::view;

/// Looks often, as what it waits for is measured. Throws std::runtime_error.
inline void wait_for(std::chrono::seconds most, const std::string& what,
                     const std::function<bool()>& condition) {
  test::wait_until(what, condition, {},
                   {.most = most, .longest_pause = std::chrono::milliseconds(2)});
}

/// What scripts/build has filled, and this program is in.
inline std::filesystem::path build_directory() {
  const auto directory = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  return directory.filename() == "bench" ? directory.parent_path() : directory;
}

}  // namespace rdmasync::bench
