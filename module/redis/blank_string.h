#pragma once

#include <cstddef>

#include "module/redis/owned.h"

namespace rdmasync::redis {

/// A string of `length` bytes that somebody is about to fill. What it holds until then is
/// undefined; the server's marks for that are not part of the module API, and a server without them
/// gives zeros, for the time that writing them takes. Any thread.
String make_blank_string(std::size_t length);

}  // namespace rdmasync::redis
