#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "module/log/elements.h"
#include "module/master/capture.h"
#include "module/master/collections.h"
#include "module/master/part_size.h"
#include "module/redis/commands_called.h"

namespace rdmasync::master {

/// Publishes large collections in parts: each a slice of their elements, or those that have
/// changed. Main thread only.
class CollectionCapture {
 public:
  CollectionCapture(Capture& capture, Collections& collections, PartSize size);

  /// Whether a value of this kind can be published in parts.
  bool takes(RedisModuleKey* key) const;
  /// Makes the key one that is, from now on.
  bool add(std::uint32_t db, std::string_view name, RedisModuleKey* key);

  // False if the key is not the one any more that it was, or has too much to remember: it is to be
  // published as a whole.
  /// Publishes the next slice.
  bool read_on(const Collections::Key& which);
  bool capture_changed(const Collections::Changed& changed);

 private:
  struct Read {
    redis::String name;
    redis::String value;  ///< none of a set
  };

  static std::optional<log_format::Part> part_of(RedisModuleKey* key);
  /// Into slice_. Whether there is more.
  bool read_slice(Collections::Collection& collection, RedisModuleKey* key);
  // Of a sorted set that is read in its order; false if it cannot be read.
  /// What comes next, into its place.
  bool read_members(const Collections::Key& which);
  bool read_ranked(const Collections::Key& which);
  /// After it was written. If nothing is where it was it is read by the cursor, from the beginning.
  bool find_place(const Collections::Key& which);
  redis::Reply read(std::uint32_t db, const redis::CalledCommand& command,
                    const std::vector<std::string_view>& arguments);
  redis::Reply values_of(const Collections::Changed& changed, log_format::Part part);
  bool add_times(const Collections::Key& key, const Capture::KeyFacts& facts,
                 std::vector<log::Element>& elements);
  bool publish(const Collections::Key& key, const Capture::KeyFacts& facts,
               std::vector<log::Element> elements);

  Capture& capture_;
  Collections& collections_;
  PartSize size_;
  bool fields_end_;          ///< on this server, apart from their hash
  bool hashes_;              ///< can be read so
  std::vector<Read> slice_;  ///< reused
  std::size_t slice_bytes_ = 0;
  std::exception_ptr failure_;
  std::string bytes_;  ///< reused
};

}  // namespace rdmasync::master
