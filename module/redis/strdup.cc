#include <cstdlib>
#include <cstring>

// A server whose allocator is a library (Valkey, as Debian packages it) loads modules with
// RTLD_DEEPBIND: malloc() and free() of this module are then those of libc, but what libc itself
// allocates for its callers comes from the server's allocator, and free() here would abort on it.
// strdup(), in hiredis, is the one such function that is linked in; scripts/lint sees to that.
//
// The linker puts __wrap_strdup() where strdup() is called (--wrap).
extern "C" char*
__wrap_strdup(  // NOLINT(readability-identifier-naming,bugprone-reserved-identifier)
    const char* text) {
  const std::size_t size = std::strlen(text) + 1;
  auto* copy = static_cast<char*>(std::malloc(size));
  return copy == nullptr ? nullptr : static_cast<char*>(std::memcpy(copy, text, size));
}
