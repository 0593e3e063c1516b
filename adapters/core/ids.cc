#include "adapters/core/ids.h"

#include <openssl/crypto.h>

#include <algorithm>

namespace llm {

std::string MintUuidV7(absl::Time now, Random& random) {
  // A clock before 1970 would spill its sign over the version.
  const auto millis =
      static_cast<uint64_t>(std::max<int64_t>(0, absl::ToUnixMillis(now)));
  // RFC 9562 section 5.7: 48 bits of time, version, 12 random bits, variant,
  // 62 random bits.
  const uint64_t high = (millis << 16) | 0x7000 | (random.Bits() & 0xFFF);
  const uint64_t low =
      (random.Bits() & 0x3FFF'FFFF'FFFF'FFFF) | 0x8000'0000'0000'0000;
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text(36, '-');
  size_t at = 0;
  for (int nibble = 0; nibble < 32; ++nibble) {
    if (at == 8 || at == 13 || at == 18 || at == 23) ++at;
    const uint64_t half = nibble < 16 ? high : low;
    text[at++] = kHex[(half >> (60 - 4 * (nibble % 16))) & 0xF];
  }
  return text;
}

bool ApiKey::Equals(std::string_view other) const {
  return secret_.size() == other.size() &&
         CRYPTO_memcmp(secret_.data(), other.data(), secret_.size()) == 0;
}

}  // namespace llm
