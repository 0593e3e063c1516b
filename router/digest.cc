#include "router/digest.h"

#include <openssl/sha.h>

#include <array>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"

namespace llm {

Digest DigestOf(std::initializer_list<std::string_view> words) {
  // Each word behind its length, so no word can take in its neighbour.
  std::string text;
  for (const std::string_view word : words) {
    absl::StrAppend(&text, word.size(), ":", ToAbsl(word));
  }
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         hash.data());
  Digest digest;
  std::memcpy(&digest.high, hash.data(), sizeof(digest.high));
  std::memcpy(&digest.low, hash.data() + sizeof(digest.high),
              sizeof(digest.low));
  return digest;
}

}  // namespace llm
