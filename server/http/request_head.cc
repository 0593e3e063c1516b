#include "server/http/request_head.h"

#include <cstring>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"

namespace llm::server {
namespace {

HeadFault Bad(std::string_view message) { return {400, std::string(message)}; }

// RFC 9110 section 5.6.2.
bool IsToken(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                       (c >= 'A' && c <= 'Z');
    if (!alnum && (c == 0 || std::strchr("!#$%&'*+-.^_`|~", c) == nullptr)) {
      return false;
    }
  }
  return true;
}

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool Is(std::string_view text, std::string_view lower) {
  return absl::EqualsIgnoreCase(ToAbsl(text), ToAbsl(lower));
}

// The first line that ends in CRLF, taken off `rest`.
std::string_view TakeLine(std::string_view* rest) {
  const size_t end = rest->find("\r\n");
  const std::string_view line = rest->substr(0, end);
  rest->remove_prefix(end == std::string_view::npos ? rest->size() : end + 2);
  return line;
}

HeadFault CheckBytes(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto c = static_cast<unsigned char>(bytes[i]);
    if (c >= 0x20 && c != 0x7f) continue;
    if (c == '\t') continue;
    // The last byte's other half may be on its way.
    const bool cr =
        c == '\r' && (i + 1 == bytes.size() || bytes[i + 1] == '\n');
    const bool lf = c == '\n' && i > 0 && bytes[i - 1] == '\r';
    if (!cr && !lf) return Bad("The head holds a stray control character.");
  }
  return {};
}

// Collects what may appear once, or must.
struct Seen {
  bool http10 = false;
  int headers = 0;
  int hosts = 0;
  int lengths = 0;
  int encodings = 0;
  int credentials = 0;
};

HeadFault CheckRequestLine(std::string_view line, Seen* seen) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return Bad("The request line is malformed.");
  }
  const std::string_view version = line.substr(last + 1);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (!IsToken(line.substr(0, first))) {
    return Bad("The method is malformed.");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    if (!version.starts_with("HTTP/")) {
      return Bad("The request line is malformed.");
    }
    return {505, "Only HTTP/1.1 and HTTP/1.0 are spoken here."};
  }
  seen->http10 = version == "HTTP/1.0";
  if (target.empty() || target[0] != '/') {
    return Bad("The request target must be a path.");
  }
  for (const char c : target) {
    if (c <= ' ' || c > '~' || c == '#') {
      return Bad("The request target holds a character that must be encoded.");
    }
  }
  return {};
}

HeadFault CheckLength(std::string_view value, HeadFacts* facts) {
  // 18 digits always fit; leading zeros do not make a length longer.
  bool digits = !value.empty() && value.size() <= 18;
  for (const char c : value) digits = digits && c >= '0' && c <= '9';
  if (!digits || !absl::SimpleAtoi(ToAbsl(value), &facts->content_length)) {
    return Bad("Content-Length must be one plain number.");
  }
  return {};
}

HeadFault CheckHeader(std::string_view line, Seen* seen, HeadFacts* facts) {
  const size_t colon = line.find(':');
  if (line[0] == ' ' || line[0] == '\t') {
    return Bad("Folded header lines are not accepted.");
  }
  if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
    return Bad("A header name is malformed.");
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = Trim(line.substr(colon + 1));
  ++seen->headers;
  if (Is(name, "host")) ++seen->hosts;
  if (Is(name, "authorization")) ++seen->credentials;
  if (Is(name, "expect")) {
    if (!Is(value, "100-continue")) return {417, "Only 100-continue is met."};
    facts->expects_continue = true;
  }
  if (Is(name, "content-length")) {
    ++seen->lengths;
    return CheckLength(value, facts);
  }
  if (Is(name, "transfer-encoding")) {
    ++seen->encodings;
    if (!Is(value, "chunked")) {
      return Bad("The only Transfer-Encoding accepted is chunked.");
    }
    facts->chunked = true;
  }
  return {};
}

HeadFault CheckSeen(const Seen& seen) {
  if (seen.hosts > 1 || (seen.hosts == 0 && !seen.http10)) {
    return Bad("There must be one Host header.");
  }
  if (seen.lengths > 1) return Bad("Content-Length appears twice.");
  if (seen.encodings > 1) return Bad("Transfer-Encoding appears twice.");
  if (seen.lengths > 0 && seen.encodings > 0) {
    return Bad("Content-Length and Transfer-Encoding exclude each other.");
  }
  if (seen.encodings > 0 && seen.http10) {
    return Bad("HTTP/1.0 has no Transfer-Encoding.");
  }
  if (seen.credentials > 1) return Bad("Authorization appears twice.");
  return {};
}

HeadFault TooLarge(const HeadLimits& limits) {
  return {431, absl::StrCat("The head is larger than ", limits.max_bytes,
                            " bytes (a fixed limit).")};
}

HeadFault TooMany(const HeadLimits& limits) {
  return {431, absl::StrCat("The head has more than ", limits.max_headers,
                            " headers (a fixed limit).")};
}

}  // namespace

HeadFault CheckPartialHead(std::string_view bytes, const HeadLimits& limits) {
  if (bytes.size() > limits.max_bytes) return TooLarge(limits);
  return CheckBytes(bytes);
}

HeadFault CheckHead(std::string_view head, const HeadLimits& limits,
                    HeadFacts* facts) {
  if (head.size() > limits.max_bytes) return TooLarge(limits);
  HeadFault fault = CheckBytes(head);
  Seen seen;
  std::string_view rest = head;
  if (fault.ok()) fault = CheckRequestLine(TakeLine(&rest), &seen);
  while (fault.ok()) {
    const std::string_view line = TakeLine(&rest);
    if (line.empty()) break;
    fault = CheckHeader(line, &seen, facts);
    if (seen.headers > limits.max_headers) return TooMany(limits);
  }
  return fault.ok() ? CheckSeen(seen) : fault;
}

}  // namespace llm::server
