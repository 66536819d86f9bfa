#include "bench/client.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <stdexcept>
#include <vector>

namespace rdmasync::bench {
namespace {

std::string to_text(const redisReply& reply) {
  return reply.type == REDIS_REPLY_INTEGER ? std::to_string(reply.integer)
                                           : std::string(view(reply));
}

}  // namespace

std::string Fields::text(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string() : found->second;
}

double Fields::number(const std::string& name) const {
  const std::string value = text(name);
  double number = 0;
  std::from_chars(value.data(), value.data() + value.size(), number);
  return number;
}

Client::Client(redisContext* context, const std::string& where) : context_(context) {
  if (context_ == nullptr || context_->err != 0) {
    throw std::runtime_error("cannot connect to " + where);
  }
}

Client::Client(const std::string& host, int port)
    : Client(redisConnect(host.c_str(), port), host + ":" + std::to_string(port)) {}

Client::Client(const std::filesystem::path& socket)
    : Client(redisConnectUnix(socket.c_str()), socket.string()) {}

Reply Client::command(Arguments arguments) {
  append(arguments);
  return read();
}

Reply Client::try_command(Arguments arguments) {
  append(arguments);
  return read_any();
}

void Client::append(Arguments arguments) {
  constexpr std::size_t kMost = 16;
  std::array<const char*, kMost> data{};
  std::array<std::size_t, kMost> sizes{};
  if (arguments.size() > kMost) {
    throw std::logic_error("too many arguments");
  }
  std::size_t count = 0;
  for (const std::string_view argument : arguments) {
    data.at(count) = argument.data();
    sizes.at(count) = argument.size();
    ++count;
  }
  if (redisAppendCommandArgv(context_.get(), static_cast<int>(count), data.data(), sizes.data()) !=
      REDIS_OK) {
    throw std::runtime_error("out of memory while sending a command");
  }
}

void Client::lost() const {
  throw std::runtime_error("connection to a server lost: " +
                           std::string(static_cast<const char*>(context_->errstr)));
}

void Client::flush() {
  int done = 0;
  while (done == 0) {
    if (redisBufferWrite(context_.get(), &done) != REDIS_OK) {
      lost();
    }
  }
}

Reply Client::read_any() {
  void* reply = nullptr;
  if (redisGetReply(context_.get(), &reply) != REDIS_OK) {
    lost();
  }
  return Reply(static_cast<redisReply*>(reply));
}

Reply Client::read() {
  Reply reply = read_any();
  if (reply->type == REDIS_REPLY_ERROR) {
    throw std::runtime_error("a server replied: " + std::string(view(*reply)));
  }
  return reply;
}

void Client::drain(std::uint64_t replies) {
  for (; replies > 0; --replies) {
    read();
  }
}

Fields Client::info(std::string_view section) {
  const Reply reply = command({"INFO", section});
  Fields fields;
  std::string_view rest = view(*reply);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find("\r\n"), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 2, rest.size()));
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      fields.set(std::string(line.substr(0, colon)), std::string(line.substr(colon + 1)));
    }
  }
  return fields;
}

Fields Client::status() {
  const Reply reply = try_command({"RDMASYNC.STATUS"});
  if (reply->type == REDIS_REPLY_ERROR && !view(*reply).starts_with("LOADING")) {
    throw std::runtime_error("RDMASYNC.STATUS replied: " + std::string(view(*reply)));
  }
  Fields fields;
  for (std::size_t i = 0; i + 1 < reply->elements; i += 2) {
    fields.set(to_text(*reply->element[i]), to_text(*reply->element[i + 1]));
  }
  return fields;
}

}  // namespace rdmasync::bench
