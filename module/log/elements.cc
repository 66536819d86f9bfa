#include "module/log/elements.h"

#include "module/log/entry.h"
#include "rdmasync/error.h"

namespace rdmasync::log {

namespace rdb = redis::rdb;
using log_format::Part;

namespace {

enum class State : char { kThere = 0, kGone = 1, kThereUntil = 2 };

}  // namespace

bool begins(std::string_view entry) {
  const EntryHead head = entry_head(entry);
  const bool of_collection = head.type != static_cast<char>(Part::kBytes);
  return of_collection &&
         rdb::Reader(entry.substr(head.size)).take(1).front() == log_format::kBegins;
}

void append_element(std::string& out, Part part, const Element& element) {
  const bool ends = element.expire_at_ms != log_format::kNoExpiry;
  const State state = element.gone ? State::kGone : ends ? State::kThereUntil : State::kThere;
  out.push_back(static_cast<char>(state));
  rdb::append_string(out, element.name);
  if (state == State::kGone) {
    return;
  }
  if (part != Part::kSet) {
    rdb::append_string(out, element.value);
  }
  if (ends) {
    rdb::append_little_endian(out, static_cast<std::uint64_t>(element.expire_at_ms));
  }
}

std::optional<Element> Elements::next() {
  if (rest_.left() == 0) {
    return std::nullopt;
  }
  const auto state = static_cast<State>(rest_.take(1).front());
  if (state > State::kThereUntil || (state == State::kThereUntil && part_ != Part::kHash)) {
    throw Error(Errc::kProtocol, "the export log has an element of an unknown kind");
  }
  Element element{.name = rest_.take(rest_.length()), .gone = state == State::kGone};
  if (!element.gone && part_ != Part::kSet) {
    element.value = rest_.take(rest_.length());
  }
  if (state == State::kThereUntil) {
    element.expire_at_ms = static_cast<std::int64_t>(rest_.little_endian());
  }
  return element;
}

}  // namespace rdmasync::log
