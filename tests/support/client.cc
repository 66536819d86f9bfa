#include "tests/support/client.h"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

#include "tests/support/wait.h"

namespace rdmasync::test {
namespace {

constexpr int kConnectSeconds = 10;
constexpr int kReplySeconds = 120;

bool is_loading(const Reply& reply) {
  return reply.is_error() && reply.text.starts_with("LOADING");
}

Reply to_value(const redisReply& raw) {
  Reply reply;
  switch (raw.type) {
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_ERROR:
      reply.type = raw.type == REDIS_REPLY_STATUS   ? Reply::Type::kStatus
                   : raw.type == REDIS_REPLY_STRING ? Reply::Type::kString
                                                    : Reply::Type::kError;
      reply.text.assign(raw.str, static_cast<std::size_t>(raw.len));
      break;
    case REDIS_REPLY_INTEGER:
      reply.type = Reply::Type::kInteger;
      reply.number = raw.integer;
      reply.text = std::to_string(raw.integer);
      break;
    case REDIS_REPLY_ARRAY:
      reply.type = Reply::Type::kArray;
      for (std::size_t i = 0; i < raw.elements; i++) {
        reply.elements.push_back(to_value(*raw.element[i]));
      }
      break;
    default:
      break;
  }
  return reply;
}

[[noreturn]] void throw_lost(const redisContext& context) {
  throw ConnectionLost(std::string("connection to the server: ") + context.errstr);
}

}  // namespace

std::string printable(std::string_view bytes) {
  constexpr std::size_t kShown = 200;
  std::string out;
  for (const char c : bytes.substr(0, kShown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isprint(byte) != 0 && c != '\\') {
      out.push_back(c);
    } else {
      std::array<char, 8> hex{};
      std::snprintf(hex.data(), hex.size(), "\\x%02x", byte);
      out += hex.data();
    }
  }
  if (bytes.size() > kShown) {
    out += "... (" + std::to_string(bytes.size()) + " bytes)";
  }
  return out;
}

std::string Reply::describe() const {
  switch (type) {
    case Type::kNil:
      return "(nil)";
    case Type::kStatus:
      return "+" + text;
    case Type::kError:
      return "-" + text;
    case Type::kInteger:
      return text;
    case Type::kString:
      return '"' + printable(text) + '"';
    case Type::kArray: {
      std::string out = "[";
      for (const Reply& element : elements) {
        out += (out.size() > 1 ? " " : "") + element.describe();
      }
      return out + "]";
    }
  }
  return {};
}

void Client::Free::operator()(redisContext* context) const {
  redisFree(context);
}

void FreeRawReply::operator()(redisReply* reply) const {
  freeReplyObject(reply);
}

std::string_view view(const redisReply& reply) {
  return {reply.str, reply.len};
}

Client::Client(redisContext* context, const std::string& where) : context_(context) {
  if (!context_ || context_->err != 0) {
    throw ConnectionLost("connect to " + where + ": " +
                         (context_ ? static_cast<const char*>(context_->errstr) : "no memory"));
  }
  const timeval reply_timeout{.tv_sec = kReplySeconds, .tv_usec = 0};
  redisSetTimeout(context_.get(), reply_timeout);
  context_->reader->maxbuf = 0;
}

Client::Client(const std::string& host, int port)
    : Client(redisConnectWithTimeout(host.c_str(), port, timeval{kConnectSeconds, 0}),
             host + ":" + std::to_string(port)) {}

Client::Client(const std::filesystem::path& socket)
    : Client(redisConnectUnix(socket.c_str()), socket.string()) {}

void Client::send(const Command& command) {
  std::vector<const char*> arguments;
  std::vector<std::size_t> lengths;
  for (const std::string& argument : command) {
    arguments.push_back(argument.data());
    lengths.push_back(argument.size());
  }
  if (redisAppendCommandArgv(context_.get(), static_cast<int>(command.size()), arguments.data(),
                             lengths.data()) != REDIS_OK) {
    throw_lost(*context_);
  }
}

void Client::append(std::initializer_list<std::string_view> command) {
  std::vector<const char*> arguments;
  std::vector<std::size_t> lengths;
  for (const std::string_view argument : command) {
    arguments.push_back(argument.data());
    lengths.push_back(argument.size());
  }
  if (redisAppendCommandArgv(context_.get(), static_cast<int>(command.size()), arguments.data(),
                             lengths.data()) != REDIS_OK) {
    throw_lost(*context_);
  }
}

void Client::flush() {
  int done = 0;
  while (done == 0) {
    if (redisBufferWrite(context_.get(), &done) != REDIS_OK) {
      throw_lost(*context_);
    }
  }
}

bool Client::answers_within(std::chrono::milliseconds time) const {
  pollfd ready{context_->fd, POLLIN, 0};
  return ::poll(&ready, 1, static_cast<int>(time.count())) > 0;
}

bool Client::closed() const {
  char byte = 0;
  return ::recv(context_->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

RawReply Client::receive_any() {
  void* raw = nullptr;
  if (redisGetReply(context_.get(), &raw) != REDIS_OK) {
    throw_lost(*context_);
  }
  return RawReply(static_cast<redisReply*>(raw));
}

Reply Client::receive() {
  return to_value(*receive_any());
}

RawReply Client::receive_raw() {
  RawReply reply = receive_any();
  if (reply->type == REDIS_REPLY_ERROR) {
    throw ErrorReply("a server replied: " + std::string(view(*reply)));
  }
  return reply;
}

void Client::drain(std::uint64_t replies) {
  for (; replies > 0; --replies) {
    receive_raw();
  }
}

Reply Client::run(const Command& command) {
  send(command);
  return receive();
}

Reply Client::checked(const Command& command) {
  Reply reply = run(command);
  if (is_loading(reply)) {
    wait_until("a server no longer loads", [&] {
      reply = run(command);
      return !is_loading(reply);
    });
  }
  if (reply.is_error()) {
    throw ErrorReply(printable(command.at(0)) + ": " + reply.text);
  }
  return reply;
}

Fields Client::info(std::string_view section) {
  return parse_info(must("INFO", section).text);
}

Fields Client::status() {
  const Reply reply = command("RDMASYNC.STATUS");
  if (reply.is_error() && !is_loading(reply)) {
    throw ErrorReply("RDMASYNC.STATUS: " + reply.text);
  }
  Fields fields;
  for (std::size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
    fields[reply.elements[i].text] = reply.elements[i + 1].text;
  }
  return fields;
}

void Pipeline::add_command(const Command& command) {
  client_.send(command);
  sent_.push_back(command.at(0));
  for (const std::string& argument : command) {
    bytes_ += argument.size();
  }
  if (sent_.size() >= kMaxCommands || bytes_ >= kMaxBytes) {
    finish();
  }
}

void Pipeline::finish() {
  for (const std::string& name : sent_) {
    const Reply reply = client_.receive();
    if (reply.is_error()) {
      throw ErrorReply(name + ": " + reply.text);
    }
  }
  sent_.clear();
  bytes_ = 0;
}

std::vector<Reply> run_all(Client& client, const std::vector<Command>& commands) {
  constexpr std::size_t kBatch = 512;
  std::vector<Reply> replies;
  replies.reserve(commands.size());
  for (std::size_t begin = 0; begin < commands.size(); begin += kBatch) {
    const std::size_t end = std::min(commands.size(), begin + kBatch);
    for (std::size_t i = begin; i < end; i++) {
      client.send(commands[i]);
    }
    for (std::size_t i = begin; i < end; i++) {
      replies.push_back(client.receive());
    }
  }
  return replies;
}

}  // namespace rdmasync::test
