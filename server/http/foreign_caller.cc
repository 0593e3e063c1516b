#include "server/http/foreign_caller.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "adapters/core/text.h"

namespace llm::server {
namespace {

// "example.com:80" and "[::1]:80" without their port and brackets, in lower
// case.
std::string HostOf(std::string_view authority) {
  if (authority.starts_with('[')) {
    authority = authority.substr(1, authority.find(']') - 1);
  } else {
    authority = authority.substr(0, authority.find(':'));
  }
  if (authority.ends_with('.')) authority.remove_suffix(1);
  return absl::AsciiStrToLower(ToAbsl(authority));
}

std::string HostOfOrigin(std::string_view origin) {
  const size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos) return {};  // "null", for one
  return HostOf(origin.substr(scheme + 3));
}

bool IsAddress(const std::string& host) {
  boost::system::error_code error;
  boost::asio::ip::make_address(host, error);
  return !error;
}

// A name that a stranger can own and point here. A bare word cannot be, nor
// what is set aside for one's own machine (RFC 6761 section 6.3) and network
// ("internal", reserved by ICANN on 2024-07-29; containers call their host by
// it).
bool IsPublicName(const std::string& host) {
  return host.find('.') != std::string::npos && !IsAddress(host) &&
         !absl::EndsWith(host, ".localhost") &&
         !absl::EndsWith(host, ".internal") && !absl::EndsWith(host, ".test") &&
         !absl::EndsWith(host, ".home.arpa");
}

bool IsLoopback(const std::string& host) {
  if (host == "localhost" || absl::EndsWith(host, ".localhost")) return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  return !error && address.is_loopback();
}

}  // namespace

std::string_view ForeignCaller(const HttpRequest& request,
                               const std::vector<std::string>& cors) {
  const std::string host = HostOf(request.Header("host"));
  const bool known =
      std::any_of(cors.begin(), cors.end(), [&](const std::string& one) {
        return one == "*" || HostOfOrigin(one) == host;
      });
  if (!known && IsPublicName(host)) return "host";
  const std::string_view origin = request.Header("origin");
  // A browser keeps answers to itself; what a request does is done.
  if (origin.empty() || request.method == "GET" || request.method == "HEAD" ||
      IsLoopback(HostOfOrigin(origin))) {
    return {};
  }
  const bool welcome = std::any_of(
      cors.begin(), cors.end(),
      [&](const std::string& one) { return one == "*" || one == origin; });
  return welcome ? std::string_view() : "origin";
}

}  // namespace llm::server
