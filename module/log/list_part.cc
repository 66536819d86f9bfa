#include "module/log/list_part.h"

#include "rdmasync/error.h"
#include "rdmasync/log_format.h"

namespace rdmasync::log {

namespace rdb = redis::rdb;
using Place = ListElement::Place;

std::string list_head(const ListHead& head) {
  std::string bytes(1, head.begins ? log_format::kBegins : '\0');
  rdb::append_little_endian(bytes, head.from_left);
  rdb::append_little_endian(bytes, head.from_right);
  return bytes;
}

void append_list_element(std::string& out, const ListElement& element) {
  out.push_back(static_cast<char>(element.place));
  if (element.place == Place::kInPlace) {
    rdb::append_little_endian(out, element.index);
  }
  rdb::append_string(out, element.value);
}

ListHead take_list_head(rdb::Reader& from) {
  const bool begins = from.take(1).front() == log_format::kBegins;
  const std::uint64_t left = from.little_endian();
  return {begins, left, from.little_endian()};
}

std::optional<ListElement> take_list_element(rdb::Reader& from) {
  if (from.left() == 0) {
    return std::nullopt;
  }
  ListElement element{.place = static_cast<Place>(from.take(1).front())};
  if (element.place < Place::kLeftEnd || element.place > Place::kInPlace) {
    throw Error(Errc::kProtocol, "the export log has an element of an unknown kind");
  }
  if (element.place == Place::kInPlace) {
    element.index = from.little_endian();
  }
  element.value = from.take(from.length());
  return element;
}

}  // namespace rdmasync::log
