#include "server/config/setting_text.h"

#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "server/config/fault_list.h"
#include "server/config/text.h"

namespace llm::server {
namespace {

absl::Status Bad(std::string_view text, std::string_view want) {
  return absl::InvalidArgumentError(Cat("'", Shown(text), "' is not ", want));
}

// A number and a unit, and again: what absl::ParseDuration takes, without its
// signs, "inf" and bare zero.
bool LooksLikeDuration(std::string_view text) {
  if (text.empty() || !absl::ascii_isdigit(text.front()) ||
      !absl::ascii_isalpha(text.back())) {
    return false;
  }
  for (const char c : text) {
    if (!absl::ascii_isdigit(c) && !absl::ascii_islower(c) && c != '.') {
      return false;
    }
  }
  return true;
}

struct UrlParts {
  std::string_view scheme;
  std::string_view authority;
  std::string_view rest;  // from the first of / ? #
};

bool SplitUrl(std::string_view text, UrlParts* parts) {
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos || colon == 0) return false;
  parts->scheme = text.substr(0, colon);
  const std::string_view after = text.substr(colon + 3);
  const size_t end = after.find_first_of("/?#");
  parts->authority = after.substr(0, end);
  parts->rest =
      end == std::string_view::npos ? std::string_view() : after.substr(end);
  return true;
}

bool IsVisible(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return false;
  }
  return true;
}

bool IsIpv4Loopback(std::string_view host) {
  if (!host.starts_with("127.")) return false;
  for (const char c : host) {
    if (!absl::ascii_isdigit(c) && c != '.') return false;
  }
  return true;
}

// Host with an optional port, as in a URL.
absl::Status CheckAuthority(std::string_view authority) {
  if (Contains(authority, "@")) {
    return absl::InvalidArgumentError(
        "must not carry a user or password; keys belong in api_keys");
  }
  if (!IsVisible(authority)) {
    return absl::InvalidArgumentError("has white space in its host");
  }
  std::string_view host = authority;
  std::string_view port;
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos &&
      (bracket == std::string_view::npos || colon > bracket)) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
    if (!ParseIntSetting(port, 1, 65535).ok()) {
      return absl::InvalidArgumentError("has a port outside 1..65535");
    }
  }
  if (host.empty()) return absl::InvalidArgumentError("has no host");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<absl::Duration> ParseDurationSetting(std::string_view text) {
  absl::Duration value;
  if (!LooksLikeDuration(text) ||
      !absl::ParseDuration(std::string(text), &value)) {
    return Bad(text, "a duration with a unit, such as 250ms, 5s, 10m or 1h");
  }
  if (value > absl::Hours(24 * 366)) return Bad(text, "at most 366 days");
  return value;
}

absl::StatusOr<int64_t> ParseSizeSetting(std::string_view text) {
  constexpr std::string_view kWant =
      "a size with a unit, such as 512B, 64KiB, 32MiB or 1GiB";
  size_t digits = 0;
  while (digits < text.size() && absl::ascii_isdigit(text[digits])) ++digits;
  int64_t number = 0;
  if (digits == 0 ||
      !absl::SimpleAtoi(ToAbsl(text.substr(0, digits)), &number)) {
    return Bad(text, kWant);
  }
  const std::string_view unit = text.substr(digits);
  int shift = 0;
  if (unit == "KiB") {
    shift = 10;
  } else if (unit == "MiB") {
    shift = 20;
  } else if (unit == "GiB") {
    shift = 30;
  } else if (unit != "B") {
    return Bad(text, kWant);
  }
  if (number > (std::numeric_limits<int64_t>::max() >> shift)) {
    return Bad(text, "a size that fits 64 bits");
  }
  return number << shift;
}

absl::StatusOr<int64_t> ParseIntSetting(std::string_view text, int64_t least,
                                        int64_t most) {
  int64_t value = 0;
  const bool plain = !text.empty() &&
                     (absl::ascii_isdigit(text.front()) || text.front() == '-');
  if (!plain || !absl::ascii_isdigit(text.back()) ||
      !absl::SimpleAtoi(ToAbsl(text), &value)) {
    return Bad(text, "a whole number");
  }
  if (value < least || value > most) {
    return Bad(text, Cat("between ", least, " and ", most));
  }
  return value;
}

absl::StatusOr<bool> ParseBoolSetting(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return Bad(text, "true or false");
}

absl::StatusOr<double> ParseShareSetting(std::string_view text) {
  double value = 0;
  if (text.empty() || !absl::SimpleAtod(ToAbsl(text), &value) ||
      !(value >= 0 && value <= 1)) {
    return Bad(text, "a share between 0 and 1");
  }
  return value;
}

absl::StatusOr<ListenAddress> ParseListenSetting(std::string_view text) {
  constexpr std::string_view kWant =
      "a listener address such as 127.0.0.1:8004 or [::1]:8004";
  ListenAddress address;
  std::string_view port;
  if (ConsumePrefix(&text, "[")) {
    const size_t close = text.find("]:");
    if (close == std::string_view::npos) {
      return Bad(Cat("[", text), kWant);
    }
    address.host = std::string(text.substr(0, close));
    port = text.substr(close + 2);
    if (!Contains(address.host, ":")) return Bad(text, kWant);
  } else {
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon != text.rfind(':')) {
      return Bad(text, kWant);
    }
    address.host = std::string(text.substr(0, colon));
    port = text.substr(colon + 1);
  }
  if (address.host.empty() || !IsVisible(address.host)) return Bad(text, kWant);
  const absl::StatusOr<int64_t> number = ParseIntSetting(port, 0, 65535);
  if (!number.ok()) return Bad(port, "a port between 0 and 65535");
  address.port = static_cast<int>(*number);
  address.loopback = address.host == "localhost" || address.host == "::1" ||
                     IsIpv4Loopback(address.host);
  return address;
}

absl::StatusOr<std::string> ParseBaseUrlSetting(std::string_view text) {
  UrlParts parts;
  if (!SplitUrl(text, &parts) ||
      (parts.scheme != "http" && parts.scheme != "https")) {
    // The text may hold a password, so it is not repeated.
    return absl::InvalidArgumentError("is not an http:// or https:// URL");
  }
  if (const absl::Status status = CheckAuthority(parts.authority);
      !status.ok()) {
    return status;
  }
  if (parts.rest.find_first_of("?#") != std::string_view::npos) {
    return absl::InvalidArgumentError("must not have a query or fragment");
  }
  if (!IsVisible(parts.rest)) {
    return absl::InvalidArgumentError("has white space in its path");
  }
  if (text.ends_with('/')) text.remove_suffix(1);
  return std::string(text);
}

absl::Status CheckProxySetting(std::string_view text) {
  UrlParts parts;
  if (!SplitUrl(text, &parts) ||
      (parts.scheme != "http" && parts.scheme != "https" &&
       parts.scheme != "socks5" && parts.scheme != "socks5h")) {
    return absl::InvalidArgumentError(
        "is not an http://, https://, socks5:// or socks5h:// URL");
  }
  if (!parts.rest.empty() && parts.rest != "/") {
    return absl::InvalidArgumentError("must not have a path");
  }
  return CheckAuthority(parts.authority);
}

absl::Status CheckOriginSetting(std::string_view text) {
  if (text == "*") return absl::OkStatus();
  UrlParts parts;
  if (!SplitUrl(text, &parts) || !parts.rest.empty()) {
    return Bad(text, "an origin such as https://app.example.com");
  }
  return CheckAuthority(parts.authority);
}

absl::Status CheckCurrencySetting(std::string_view text) {
  bool good = text.size() == 3;
  for (const char c : text) good = good && absl::ascii_isupper(c);
  if (!good) return Bad(text, "a currency code such as USD or CNY");
  return absl::OkStatus();
}

absl::Status CheckApiVersionSetting(std::string_view text) {
  bool good = !text.empty() && text.size() <= 32;
  for (const char c : text) {
    good = good && (absl::ascii_isalnum(c) || c == '-' || c == '.');
  }
  if (!good) return Bad(text, "an API version such as 2024-10-21 or preview");
  return absl::OkStatus();
}

absl::StatusOr<absl::Time> ParseTimeSetting(std::string_view text) {
  absl::Time time;
  std::string error;
  if (text.find("infinite") == std::string_view::npos &&
      (absl::ParseTime(absl::RFC3339_full, ToAbsl(text), &time, &error) ||
       absl::ParseTime("%Y-%m-%d", ToAbsl(text), &time, &error))) {
    return time;
  }
  return Bad(text, "a date or an RFC 3339 time");
}

absl::Status CheckProviderName(std::string_view text) {
  bool good = !text.empty() && text.size() <= 64;
  for (const char c : text) {
    good = good && (absl::ascii_islower(c) || absl::ascii_isdigit(c) ||
                    c == '.' || c == '_' || c == '-');
  }
  if (!good) {
    return absl::InvalidArgumentError(
        "a provider's name is 1 to 64 lower-case letters, digits, '.', '_' "
        "or '-'");
  }
  return absl::OkStatus();
}

absl::Status CheckModelName(std::string_view text) {
  if (text.empty() || text.size() > 256 || !IsVisible(text)) {
    return absl::InvalidArgumentError(
        "a model's name is 1 to 256 visible characters");
  }
  if (text == "auto" || text == "auto-quick" || text == "auto-deep" ||
      text.starts_with("auto:")) {
    return absl::InvalidArgumentError(
        "auto, auto-quick, auto-deep and auto:… are reserved");
  }
  return absl::OkStatus();
}

}  // namespace llm::server
