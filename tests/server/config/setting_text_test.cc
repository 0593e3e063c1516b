#include "server/config/setting_text.h"

#include <catch2/catch.hpp>

namespace llm::server {
namespace {

TEST_CASE("A duration needs a number and a unit", "[config][text]") {
  const auto [text, want] = GENERATE(
      table<std::string, absl::Duration>({{"250ms", absl::Milliseconds(250)},
                                          {"5s", absl::Seconds(5)},
                                          {"10m", absl::Minutes(10)},
                                          {"1h", absl::Hours(1)},
                                          {"1h30m", absl::Minutes(90)},
                                          {"0s", absl::ZeroDuration()}}));
  CAPTURE(text);
  const auto value = ParseDurationSetting(text);
  REQUIRE(value.ok());
  CHECK(*value == want);
}

TEST_CASE("What is not a duration is refused", "[config][text]") {
  const auto text =
      GENERATE(as<std::string>(), "", "5", "0", "-5s", "inf", "5 s", "s", "5S",
               "5days", "1e3s", "400h days", "99999h");
  CAPTURE(text);
  CHECK_FALSE(ParseDurationSetting(text).ok());
}

TEST_CASE("A size needs a whole number and a unit", "[config][text]") {
  const auto [text, want] =
      GENERATE(table<std::string, int64_t>({{"512B", 512},
                                            {"64KiB", int64_t{64} << 10},
                                            {"32MiB", int64_t{32} << 20},
                                            {"1GiB", int64_t{1} << 30},
                                            {"0B", 0}}));
  CAPTURE(text);
  const auto value = ParseSizeSetting(text);
  REQUIRE(value.ok());
  CHECK(*value == want);
}

TEST_CASE("What is not a size is refused", "[config][text]") {
  const auto text =
      GENERATE(as<std::string>(), "", "32", "32MB", "32 MiB", "-1MiB", "1.5MiB",
               "MiB", "9999999999999GiB", "99999999999999999999B");
  CAPTURE(text);
  CHECK_FALSE(ParseSizeSetting(text).ok());
}

TEST_CASE("Listener addresses parse and know whether they are loopback",
          "[config][text]") {
  const auto [text, host, port, loopback] =
      GENERATE(table<std::string, std::string, int, bool>(
          {{"127.0.0.1:8004", "127.0.0.1", 8004, true},
           {"127.3.2.1:0", "127.3.2.1", 0, true},
           {"localhost:1", "localhost", 1, true},
           {"[::1]:9004", "::1", 9004, true},
           {"[::]:9004", "::", 9004, false},
           {"0.0.0.0:65535", "0.0.0.0", 65535, false},
           {"127.evil.example:80", "127.evil.example", 80, false}}));
  CAPTURE(text);
  const auto address = ParseListenSetting(text);
  REQUIRE(address.ok());
  CHECK(address->host == host);
  CHECK(address->port == port);
  CHECK(address->loopback == loopback);
}

TEST_CASE("What is not a listener address is refused", "[config][text]") {
  const auto text = GENERATE(
      as<std::string>(), "", "8004", ":8004", "localhost", "::1:80", "[::1]",
      "[::1]80", "[x]:80", "h:65536", "h:-1", "h:8x", "h:", "a b:80");
  CAPTURE(text);
  CHECK_FALSE(ParseListenSetting(text).ok());
}

TEST_CASE("A base URL loses one trailing slash", "[config][text]") {
  const auto [text, want] = GENERATE(table<std::string, std::string>(
      {{"https://api.example.com/v1/", "https://api.example.com/v1"},
       {"https://api.example.com/v1//", "https://api.example.com/v1/"},
       {"http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"},
       {"http://[::1]:8000", "http://[::1]:8000"}}));
  CAPTURE(text);
  const auto value = ParseBaseUrlSetting(text);
  REQUIRE(value.ok());
  CHECK(*value == want);
}

TEST_CASE("Base URLs with users, queries or other schemes are refused",
          "[config][text][SEC-1]") {
  const auto text = GENERATE(
      as<std::string>(), "", "api.example.com", "ftp://example.com",
      "file:///etc/passwd", "https://", "https:///v1", "http://u:p@example.com",
      "https://example.com/v1?key=1", "https://example.com/#x",
      "https://example.com:0/", "https://example.com:99999", "https://exa mple",
      "https://example.com/a b");
  CAPTURE(text);
  CHECK_FALSE(ParseBaseUrlSetting(text).ok());
}

TEST_CASE("The fault of a base URL repeats no password",
          "[config][text][SEC-5]") {
  const auto value = ParseBaseUrlSetting("http://user:hunter2@example.com");
  REQUIRE_FALSE(value.ok());
  CHECK(std::string(value.status().message()).find("hunter2") ==
        std::string::npos);
}

}  // namespace
}  // namespace llm::server
