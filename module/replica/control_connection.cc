#include "module/replica/control_connection.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "rdmasync/error.h"

namespace rdmasync::replica {

namespace {

// Nothing interrupts a connection attempt, and the server's shutdown waits for it. When a cable is
// in again, a new attempt gets through long before one that the system repeats ever more seldom:
// within the moment for which the master makes an unknown PSYNC wait.
constexpr std::chrono::milliseconds kConnectTimeout{400};

timeval to_timeval(std::chrono::milliseconds time) {
  return {time.count() / 1000, (time.count() % 1000) * 1000};
}

/// Of a connection that is being made: 0 once it is, or an errno.
int await_connected(int socket, std::chrono::milliseconds timeout) {
  pollfd ready{socket, POLLOUT, 0};
  if (::poll(&ready, 1, static_cast<int>(timeout.count())) <= 0) {
    return ETIMEDOUT;
  }
  int error = 0;
  socklen_t size = sizeof(error);
  ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

/// hiredis connects from an address of one's own only without waiting.
redisContext* connect_from(const MasterAddress& address, std::chrono::milliseconds timeout) {
  redisContext* context =
      redisConnectBindNonBlock(address.host.c_str(), address.port, address.source.c_str());
  if (context == nullptr || context->err != 0) {
    return context;
  }
  if (const int error = await_connected(context->fd, timeout); error != 0) {
    context->err = REDIS_ERR_IO;
    std::strncpy(static_cast<char*>(context->errstr), std::strerror(error),
                 sizeof(context->errstr) - 1);
    return context;
  }
  ::fcntl(context->fd, F_SETFL, ::fcntl(context->fd, F_GETFL) & ~O_NONBLOCK);
  context->flags |= REDIS_BLOCK;
  return context;
}

redisContext* connect(const MasterAddress& address, std::chrono::milliseconds timeout) {
  return address.source.empty()
             ? redisConnectWithTimeout(address.host.c_str(), address.port, to_timeval(timeout))
             : connect_from(address, timeout);
}

/// By the first word of an error reply; an unknown command has none of its own.
Errc code_of(std::string_view error) {
  if (error.starts_with("NOAUTH ")) {
    return Errc::kLogin;
  }
  if (error.starts_with("NOPERM ")) {
    return Errc::kPermission;
  }
  // The last two end the wait of a command, when a cluster fails or the master becomes a replica.
  for (const char* word : {"LOADING ", "BUSY ", "CLUSTERDOWN ", "UNBLOCKED "}) {
    if (error.starts_with(word)) {
      return Errc::kBusy;
    }
  }
  if (error.starts_with("ERR unknown command")) {
    return Errc::kUnknownCommand;
  }
  return Errc::kRefused;
}

}  // namespace

void ControlConnection::Close::operator()(redisContext* context) const {
  redisFree(context);
}

ControlConnection::ControlConnection(const MasterAddress& address,
                                     std::chrono::milliseconds timeout, std::stop_token stop)
    : name_(address.host + ":" + std::to_string(address.port)),
      stop_(std::move(stop)),
      context_(connect(address, std::min(timeout, kConnectTimeout))) {
  if (!context_) {
    throw Error(Errc::kResources, "out of memory while connecting to " + name_);
  }
  if (context_->err != 0) {
    throw Error(Errc::kPeerLost, "cannot connect to the master " + name_ + ": " + context_->errstr +
                                     "; check that it runs and that the address is right");
  }
  redisSetTimeout(context_.get(), to_timeval(timeout));
  redisEnableKeepAlive(context_.get());
  const int socket = context_->fd;
  interrupt_ = std::make_unique<std::stop_callback<std::function<void()>>>(
      stop_, [socket] { ::shutdown(socket, SHUT_RDWR); });
  log_in(address);
}

ControlConnection::~ControlConnection() = default;

void ControlConnection::log_in(const MasterAddress& address) {
  if (address.password.empty()) {
    return;
  }
  std::vector<std::string> auth = {"AUTH"};
  if (!address.user.empty()) {
    auth.push_back(address.user);
  }
  auth.push_back(address.password);
  try {
    command(auth);
  } catch (const Error& error) {
    if (error.code() != Errc::kRefused) {
      throw;
    }
    throw Error(Errc::kRefused,
                std::string(error.what()) + "; set masterauth (and masteruser) on this server");
  }
}

void ControlConnection::fail() {
  if (stop_.stop_requested()) {
    throw Error(Errc::kCancelled, "stopped");
  }
  const bool silent = context_->err == REDIS_ERR_IO && (errno == EAGAIN || errno == ETIMEDOUT);
  throw Error(Errc::kPeerLost, "lost the master " + name_ + ": " +
                                   (silent ? std::string("no answer") : context_->errstr));
}

ControlConnection::Reply ControlConnection::command(const std::vector<std::string>& args) {
  send(args);
  void* reply = nullptr;
  if (redisGetReply(context_.get(), &reply) != REDIS_OK) {
    fail();
  }
  Reply owned(static_cast<redisReply*>(reply), [](redisReply* r) { freeReplyObject(r); });
  if (owned->type == REDIS_REPLY_ERROR) {
    throw Error(code_of(owned->str),
                "the master " + name_ + " refused " + args.front() + ": " + owned->str);
  }
  return owned;
}

void ControlConnection::send(const std::vector<std::string>& args) {
  std::vector<const char*> argv;
  std::vector<std::size_t> lengths;
  for (const auto& arg : args) {
    argv.push_back(arg.data());
    lengths.push_back(arg.size());
  }
  redisAppendCommandArgv(context_.get(), static_cast<int>(args.size()), argv.data(),
                         lengths.data());
  int done = 0;
  while (done == 0) {
    if (redisBufferWrite(context_.get(), &done) != REDIS_OK) {
      fail();
    }
  }
}

void ControlConnection::check_alive() {
  if (stop_.stop_requested()) {
    throw Error(Errc::kCancelled, "stopped");
  }
  char byte = 0;
  const auto got = ::recv(context_->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
    throw Error(Errc::kPeerLost, "lost the master " + name_ + ": it closed the connection");
  }
}

int ControlConnection::fd() const {
  return context_->fd;
}

std::string_view text_of(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_STRING && reply.type != REDIS_REPLY_STATUS) {
    throw Error(Errc::kProtocol, "the master's reply has no text where one belongs");
  }
  return {reply.str, static_cast<std::size_t>(reply.len)};
}

std::size_t elements_of(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ARRAY) {
    throw Error(Errc::kProtocol, "the master's reply is not a list");
  }
  return reply.elements;
}

const redisReply& element_of(const redisReply& reply, std::size_t index) {
  if (index >= elements_of(reply)) {
    throw Error(Errc::kProtocol, "the master's reply is too short");
  }
  return *reply.element[index];
}

protocol::Fields fields_of(const redisReply& reply) {
  protocol::Fields fields;
  for (std::size_t i = 0; i + 1 < elements_of(reply); i += 2) {
    fields.emplace_back(text_of(element_of(reply, i)), text_of(element_of(reply, i + 1)));
  }
  return fields;
}

}  // namespace rdmasync::replica
