#include "module/master/list_capture.h"

#include "module/log/list_part.h"
#include "module/redis/context.h"
#include "module/redis/key_meta.h"

namespace rdmasync::master {

using log_format::Part;
using Place = log::ListElement::Place;

bool ListCapture::takes(RedisModuleKey* key) const {
  return redis::KeyType(key) == redis::kTypeList && !redis::has_attachments(key);
}

bool ListCapture::add(std::uint32_t db, std::string_view name, RedisModuleKey* key) {
  return lists_.add(db, name, redis::ValueLength(key));
}

bool ListCapture::capture_next(const Lists::Key& which) {
  const auto& [db, name] = which;
  const redis::String key_name = redis::make_string(name);
  Capture::KeyFacts facts;
  std::optional<Lists::Piece> piece;
  {
    const redis::Key key{
        redis::OpenKey(capture_.select(db), key_name.get(), redis::kKeyRead | redis::kKeyNoTouch)};
    // To look may have found it expired.
    if (!lists_.knows(which)) {
      return true;
    }
    if (!key || redis::KeyType(key.get()) != redis::kTypeList) {
      return false;
    }
    piece = lists_.next_piece(which, redis::ValueLength(key.get()), size_.elements);
    if (!piece) {
      return false;
    }
    facts = capture_.look_at(key.get());
  }
  const std::size_t elements = read(which, *piece);
  capture_.put_part(which, facts.meta, Part::kList, log::list_head(piece->head), bytes_);
  lists_.published(which, *piece, elements);
  return true;
}

std::size_t ListCapture::read(const Lists::Key& which, const Lists::Piece& piece) {
  const auto& [db, name] = which;
  const redis::String key_name = redis::make_string(name);
  bytes_.clear();
  redis::Key key;
  std::size_t count = 0;
  for (const auto [here, there] : piece.elements) {
    // An open key goes from one element to the next, which is far if they are not neighbours.
    if (!key || piece.place == Place::kInPlace) {
      key.reset();
      key.reset(redis::OpenKey(capture_.select(db), key_name.get(),
                               redis::kKeyRead | redis::kKeyNoTouch));
    }
    const redis::String value{redis::ListGet(key.get(), static_cast<long>(here))};
    log::append_list_element(
        bytes_, {.place = piece.place, .index = there, .value = redis::view(value.get())});
    ++count;
    if (bytes_.size() >= PartSize::kBytes) {
      break;
    }
  }
  return count;
}

}  // namespace rdmasync::master
