#include "tests/integration/service_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"

namespace llm {

ServiceClient::ServiceClient(uint16_t port)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  // Only a server that hangs lets this run out.
  const timeval limit{60, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address),
                sizeof address) != 0) {
    Leave(false);
  }
}

ServiceClient::~ServiceClient() { Leave(false); }

void ServiceClient::Send(std::string_view bytes) {
  while (fd_ >= 0 && !bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

bool ServiceClient::ReadSome() {
  char buffer[16384];
  const ssize_t count = fd_ < 0 ? 0 : ::recv(fd_, buffer, sizeof buffer, 0);
  if (count <= 0) return false;
  seen_.append(buffer, static_cast<size_t>(count));
  return true;
}

const std::string& ServiceClient::ReadUntil(std::string_view text) {
  while (seen_.find(text) == std::string::npos && ReadSome()) {
  }
  return seen_;
}

const std::string& ServiceClient::ReadAnswer() {
  ReadUntil("\r\n\r\n");
  const auto length = static_cast<size_t>(
      std::atoll(HeaderOf(seen_, "content-length").c_str()));
  while (BodyOf(seen_).size() < length && ReadSome()) {
  }
  return seen_;
}

const std::string& ServiceClient::ReadAll() {
  while (ReadSome()) {
  }
  return seen_;
}

void ServiceClient::Leave(bool reset) {
  if (fd_ < 0) return;
  if (reset) {
    const linger hard{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }
  ::close(fd_);
  fd_ = -1;
}

std::string Request(std::string_view method, std::string_view path,
                    std::string_view key, std::string_view body) {
  return absl::StrCat(ToAbsl(method), " ", ToAbsl(path),
                      " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n",
                      key.empty() ? "" : "Authorization: Bearer ", ToAbsl(key),
                      key.empty() ? "" : "\r\n",
                      "Content-Length: ", body.size(), "\r\n\r\n",
                      ToAbsl(body));
}

std::string Chat(std::string_view key, std::string_view model, bool stream) {
  return Request(
      "POST", "/v1/chat/completions", key,
      absl::StrCat(R"({"model":")", ToAbsl(model), R"(","stream":)",
                   stream ? "true" : "false",
                   R"(,"messages":[{"role":"user","content":"hi"}]})"));
}

std::string Ask(uint16_t port, std::string_view request) {
  ServiceClient client(port);
  client.Send(request);
  return client.ReadAll();
}

int StatusOf(std::string_view bytes) {
  if (!bytes.starts_with("HTTP/1.1 ") || bytes.size() < 12) return 0;
  return std::atoi(std::string(bytes.substr(9, 3)).c_str());
}

std::string HeaderOf(std::string_view bytes, std::string_view name) {
  const std::string_view head = bytes.substr(0, bytes.find("\r\n\r\n"));
  const std::string mark = absl::StrCat("\r\n", ToAbsl(name), ": ");
  const size_t at = head.find(mark);
  if (at == std::string_view::npos) return "";
  const std::string_view rest = head.substr(at + mark.size());
  return std::string(rest.substr(0, rest.find("\r\n")));
}

std::string BodyOf(std::string_view bytes) {
  const size_t end = bytes.find("\r\n\r\n");
  return end == std::string_view::npos ? ""
                                       : std::string(bytes.substr(end + 4));
}

}  // namespace llm
