// The texts of settings, turned into typed values.
//
// Errors: kInvalidArgument; the message completes "key.path: …" and never
//         repeats more of the text than Shown() allows.
#ifndef LLM_SERVER_CONFIG_SETTING_TEXT_H_
#define LLM_SERVER_CONFIG_SETTING_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace llm::server {

// "250ms", "5s", "10m", "1h", "1h30m"; at most 366 days.
absl::StatusOr<absl::Duration> ParseDurationSetting(std::string_view text);

// "512B", "64KiB", "32MiB", "1GiB".
absl::StatusOr<int64_t> ParseSizeSetting(std::string_view text);

absl::StatusOr<int64_t> ParseIntSetting(std::string_view text, int64_t least,
                                        int64_t most);
absl::StatusOr<bool> ParseBoolSetting(std::string_view text);
// A share from 0 to 1.
absl::StatusOr<double> ParseShareSetting(std::string_view text);

// "host:port" or "[::1]:port", returned as written.
struct ListenAddress {
  std::string host;  // without brackets
  int port = 0;
  // 127.0.0.0/8, ::1 or localhost.
  bool loopback = false;
};
absl::StatusOr<ListenAddress> ParseListenSetting(std::string_view text);

// An http or https URL without user, query or fragment; one trailing slash
// is dropped.
absl::StatusOr<std::string> ParseBaseUrlSetting(std::string_view text);
// http, https or socks5(h) URL, for a proxy; may carry no path.
absl::Status CheckProxySetting(std::string_view text);
// "https://app.example.com", scheme, host and port only; or "*".
absl::Status CheckOriginSetting(std::string_view text);

// Three upper-case letters.
absl::Status CheckCurrencySetting(std::string_view text);
// Letters, digits, '-' and '.'; at most 32: it stands in a URL.
absl::Status CheckApiVersionSetting(std::string_view text);
// RFC 3339, or a date (UTC).
absl::StatusOr<absl::Time> ParseTimeSetting(std::string_view text);
// Lower-case letters, digits, '.', '_', '-'; at most 64.
absl::Status CheckProviderName(std::string_view text);
// Visible characters, at most 256; not a name the service reserves.
absl::Status CheckModelName(std::string_view text);

}  // namespace llm::server

#endif  // LLM_SERVER_CONFIG_SETTING_TEXT_H_
