#include "server/cli/ask_service.h"

#include <ostream>
#include <utility>

#include "absl/strings/ascii.h"
#include "adapters/core/text.h"
#include "server/config/secret_reference.h"
#include "server/config/setting_text.h"

namespace llm::server {
namespace {

constexpr size_t kMaxKeyFile = size_t{16} << 10;

std::string KeyFromEnv(const char* name, const CliHost& host) {
  return std::string(absl::StripAsciiWhitespace(host.env(name).value_or("")));
}

// The key for a command; empty with a message if there is none to be had.
std::string FindKey(const RemoteOptions& remote, bool caller_key_will_do,
                    const CliHost& host) {
  if (!remote.admin_key_file.empty()) {
    const auto text = ReadSmallFile(remote.admin_key_file, kMaxKeyFile);
    if (!text.ok()) {
      *host.err << "--admin-key-file: " << ToStd(text.status().message())
                << "\n";
      return "";
    }
    std::string key(absl::StripAsciiWhitespace(*text));
    if (key.empty()) *host.err << "--admin-key-file: the file is empty\n";
    return key;
  }
  // A variable that is set to nothing is not set.
  std::string key = KeyFromEnv("LLM_SERVICE_ADMIN_KEY", host);
  if (key.empty() && caller_key_will_do) {
    key = KeyFromEnv("LLM_SERVICE_KEY", host);
  }
  return key;
}

void PrintRefusal(const HttpAnswer& answer, bool caller_key_will_do,
                  const CliHost& host) {
  const auto document = JsonDocument::Parse(answer.body);
  std::string message;
  if (document.ok()) {
    message = document->root().Find("error").Find("message").StringOr();
  }
  *host.err << "the service answered " << answer.status
            << (message.empty() ? "" : ": " + message) << "\n";
  if (answer.status != 401 && answer.status != 403) return;
  *host.err << "set LLM_SERVICE_ADMIN_KEY to the service's admin key, or use "
               "--admin-key-file"
            << (caller_key_will_do
                    ? "; for a caller's own rows set LLM_SERVICE_KEY to its key"
                    : "")
            << "\n";
}

}  // namespace

std::optional<std::string> AskService(const RemoteOptions& remote,
                                      const std::string& method,
                                      const std::string& path, bool caller_key,
                                      const std::string& body,
                                      const CliHost& host) {
  const absl::StatusOr<std::string> base = ParseBaseUrlSetting(remote.url);
  if (!base.ok()) {
    *host.err << "--url " << ToStd(base.status().message()) << "\n";
    return std::nullopt;
  }
  const std::string key = FindKey(remote, caller_key, host);
  if (key.empty() && !remote.admin_key_file.empty()) return std::nullopt;
  const auto answer = host.http(method, *base + path, key, body, remote.tls);
  if (!answer.ok()) {
    *host.err << "no service answers at " << *base << " ("
              << ToStd(answer.status().message())
              << "); is it running, and is this its admin address? Start it "
                 "with `llm-service serve` or give --url\n";
    return std::nullopt;
  }
  if (answer->status < 200 || answer->status > 299) {
    PrintRefusal(*answer, caller_key, host);
    return std::nullopt;
  }
  return answer->body;
}

std::optional<JsonDocument> ParseServiceAnswer(const std::string& text,
                                               const CliHost& host) {
  auto document = JsonDocument::Parse(text);
  if (document.ok() && document->root().is_object()) {
    return *std::move(document);
  }
  *host.err << "the answer is not the service's JSON; is --url right?\n";
  return std::nullopt;
}

std::string EscapePath(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '_' || c == '.' ||
        c == '~' || c == ',') {
      out += c;
      continue;
    }
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

std::string OrDash(std::string text) {
  return text.empty() ? "-" : std::move(text);
}

}  // namespace llm::server
