// 128 bits that stand for words: a key of fixed size that pins no caller's
// text and no secret in memory, and that nobody can spell into another's.
//
// Pure.
// Fact: the first half of SHA-256; a meeting of two is beyond search.
#ifndef LLM_ROUTER_DIGEST_H_
#define LLM_ROUTER_DIGEST_H_

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace llm {

struct Digest {
  uint64_t high = 0;
  uint64_t low = 0;
  friend bool operator==(const Digest&, const Digest&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Digest& digest) {
    return H::combine(std::move(h), digest.high, digest.low);
  }
};

// Of a list of words: {"ab", "c"} and {"a", "bc"} differ.
Digest DigestOf(std::initializer_list<std::string_view> words);

}  // namespace llm

#endif  // LLM_ROUTER_DIGEST_H_
