#include "server/auth/key_secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "adapters/core/random.h"

namespace llm::server {
namespace {

constexpr std::string_view kStart = "sk-";
constexpr size_t kRandomCharacters = 48;
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
// The greatest multiple of 62 in a byte: what lies above would favour the
// first letters and is drawn again.
constexpr uint8_t kFairBytes = 248;

}  // namespace

std::string MakeKeySecret() {
  std::string secret(kStart);
  std::array<uint8_t, 64> bytes{};
  while (secret.size() < kStart.size() + kRandomCharacters) {
    SecureBytes(bytes.data(), bytes.size());
    for (const uint8_t byte : bytes) {
      if (byte >= kFairBytes) continue;
      secret.push_back(kAlphabet[byte % kAlphabet.size()]);
      if (secret.size() == kStart.size() + kRandomCharacters) break;
    }
  }
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return secret;
}

bool IsKeySecret(std::string_view text) {
  return text.size() == kStart.size() + kRandomCharacters &&
         text.substr(0, kStart.size()) == kStart &&
         std::all_of(text.begin() + kStart.size(), text.end(),
                     [](unsigned char c) { return absl::ascii_isalnum(c); });
}

KeyDigest DigestOf(std::string_view secret) {
  // Looked up once and kept as long as the process: each EVP_sha256() would be
  // a search through the providers.
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  KeyDigest digest{};
  // Without a digest no caller can be told from another: no way to go on.
  if (EVP_Digest(secret.data(), secret.size(), digest.data(), nullptr, sha256,
                 nullptr) != 1) {
    std::abort();
  }
  return digest;
}

std::string KeyPrefix(std::string_view secret) {
  return std::string(secret.substr(0, kStart.size() + 4));
}

bool ConstantTimeEquals(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace llm::server
