#include "server/auth/key_secret.h"

#include <array>
#include <catch2/catch.hpp>
#include <set>
#include <string>

namespace llm::server {
namespace {

TEST_CASE("A secret is sk- and 48 alphanumerics, never the same",
          "[auth][keys]") {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string secret = MakeKeySecret();
    CHECK(secret.size() == 51);
    CHECK(IsKeySecret(secret));
    seen.insert(secret);
  }
  CHECK(seen.size() == 1000);
}

TEST_CASE("Every character of a secret is about equally likely",
          "[auth][keys]") {
  std::array<int, 256> counts{};
  for (int i = 0; i < 2000; ++i) {
    for (const char c : MakeKeySecret().substr(3)) {
      ++counts[static_cast<unsigned char>(c)];
    }
  }
  // 96,000 draws of 62: 1,548 each, with a deviation of 39. Eight letters
  // would have 1,875 if bytes were taken modulo 62.
  for (const char c : std::string("AHIZaz09")) {
    CAPTURE(c);
    CHECK(counts[static_cast<unsigned char>(c)] > 1548 - 250);
    CHECK(counts[static_cast<unsigned char>(c)] < 1548 + 250);
  }
}

TEST_CASE("What does not look like a secret is not one", "[auth][keys]") {
  const std::string good = MakeKeySecret();
  const std::string bad = GENERATE_COPY(
      std::string(), std::string("sk-"), good + "a", good.substr(0, 50),
      "pk-" + good.substr(3), good.substr(0, 50) + "-",
      good.substr(0, 50) + std::string(1, '\0'), " " + good.substr(1));
  CHECK_FALSE(IsKeySecret(bad));
}

TEST_CASE("The digest is SHA-256", "[auth][keys]") {
  // FIPS 180-2, appendix B.1: "abc".
  const KeyDigest digest = DigestOf("abc");
  CHECK(digest[0] == 0xBA);
  CHECK(digest[1] == 0x78);
  CHECK(digest[31] == 0xAD);
}

TEST_CASE("Equal is equal, whatever differs", "[auth][keys][SEC-7]") {
  CHECK(ConstantTimeEquals("", ""));
  CHECK(ConstantTimeEquals("abc", "abc"));
  CHECK_FALSE(ConstantTimeEquals("abc", "abd"));
  CHECK_FALSE(ConstantTimeEquals("abc", "Abc"));
  CHECK_FALSE(ConstantTimeEquals("abc", "abcd"));
}

}  // namespace
}  // namespace llm::server
