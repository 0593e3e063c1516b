#include "adapters/core/ids.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/hash/hash.h"

namespace llm {
namespace {

class FixedRandom : public Random {
 public:
  explicit FixedRandom(uint64_t bits) : bits_(bits) {}
  uint64_t Bits() override { return bits_; }

 private:
  uint64_t bits_;
};

TEST_CASE("A UUIDv7 has its form, version, variant and time",
          "[adapters][core][ids]") {
  // The example of RFC 9562 appendix A.6.
  const absl::Time time = absl::FromUnixMillis(0x017F22E279B0);
  FixedRandom ones(~uint64_t{0});
  FixedRandom zeros(0);
  CHECK(MintUuidV7(time, ones) == "017f22e2-79b0-7fff-bfff-ffffffffffff");
  CHECK(MintUuidV7(time, zeros) == "017f22e2-79b0-7000-8000-000000000000");
}

TEST_CASE("Ids sort by time and differ within one millisecond",
          "[adapters][core][ids]") {
  SystemRandom random;
  std::string last;
  for (int64_t ms = 1; ms < 3'000'000'000'000; ms = ms * 3 + 1) {
    const std::string id = MintUuidV7(absl::FromUnixMillis(ms), random);
    CHECK(id > last);
    last = id;
  }
  std::set<std::string> same;
  for (int i = 0; i < 10000; ++i) {
    same.insert(MintUuidV7(absl::FromUnixMillis(1), random));
  }
  CHECK(same.size() == 10000);
}

TEST_CASE("A clock before 1970 leaves the version in place",
          "[adapters][core][ids]") {
  FixedRandom zeros(0);
  CHECK(MintUuidV7(absl::FromUnixMillis(-5), zeros) ==
        "00000000-0000-7000-8000-000000000000");
}

TEST_CASE("A key equals only its whole text", "[adapters][core][ids][SEC-1]") {
  const ApiKey key("sk-secret");
  CHECK(key.Equals("sk-secret"));
  CHECK_FALSE(key.Equals("sk-secreT"));
  CHECK_FALSE(key.Equals("xk-secret"));
  CHECK_FALSE(key.Equals("sk-secre"));
  CHECK_FALSE(key.Equals("sk-secret1"));
  CHECK_FALSE(key.Equals(""));
  CHECK(ApiKey().Equals(""));
  CHECK(ApiKey().empty());
  CHECK_FALSE(key.empty());
  CHECK(key.Reveal() == "sk-secret");
}

TEST_CASE("Ids of two kinds do not mix, ids of one kind compare and hash",
          "[adapters][core][ids]") {
  STATIC_REQUIRE_FALSE(std::is_convertible_v<ModelId, ProviderId>);
  STATIC_REQUIRE_FALSE(std::is_convertible_v<std::string, ApiKey>);
  CHECK(ModelId{"a"} < ModelId{"b"});
  CHECK(ModelId{"a/b:c"} == ModelId{"a/b:c"});
  CHECK(absl::Hash<ModelId>()(ModelId{"a"}) ==
        absl::Hash<ModelId>()(ModelId{"a"}));
}

TEST_CASE("A unit number lies in [0, 1)", "[adapters][core][random]") {
  FixedRandom ones(~uint64_t{0});
  FixedRandom zeros(0);
  CHECK(ones.Unit() < 1.0);
  CHECK(ones.Unit() > 0.9999999);
  CHECK(zeros.Unit() == 0.0);
}

TEST_CASE("Secure bytes fill the whole buffer and no more",
          "[adapters][core][random]") {
  // 64 draws: each byte is zero in all of them with probability 2^-512.
  std::vector<unsigned char> seen(32, 0);
  for (int i = 0; i < 64; ++i) {
    std::vector<unsigned char> bytes(34, 0xA5);
    SecureBytes(bytes.data() + 1, 32);
    CHECK(bytes.front() == 0xA5);
    CHECK(bytes.back() == 0xA5);
    for (size_t b = 0; b < 32; ++b) {
      seen[b] = static_cast<unsigned char>(seen[b] | (bytes[b + 1] ^ 0xA5));
    }
  }
  for (const unsigned char bits : seen) CHECK(bits != 0);
}

}  // namespace
}  // namespace llm
