#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "module/master/capture.h"
#include "module/master/lists.h"
#include "module/master/part_size.h"

namespace rdmasync::master {

/// Publishes large lists in parts: the next slice of one, or what has changed. Main thread only.
class ListCapture {
 public:
  ListCapture(Capture& capture, Lists& lists, PartSize size)
      : capture_(capture), lists_(lists), size_(size) {}

  bool takes(RedisModuleKey* key) const;
  /// Makes the key one that is published in parts, from now on, if it is large and can be.
  bool add(std::uint32_t db, std::string_view name, RedisModuleKey* key);

  /// Publishes what comes next of one that is unread or in this round. False if the key is not the
  /// one any more that it was: it is to be published as a whole.
  bool capture_next(const Lists::Key& which);

 private:
  /// As many of the elements as there is room for in a part, into bytes_.
  std::size_t read(const Lists::Key& which, const Lists::Piece& piece);

  Capture& capture_;
  Lists& lists_;
  PartSize size_;
  std::string bytes_;  ///< reused
};

}  // namespace rdmasync::master
