// What every fuzz target needs: a check that ends the run, and cuts.
#ifndef LLM_TESTS_FUZZ_FUZZ_CHECK_H_
#define LLM_TESTS_FUZZ_FUZZ_CHECK_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace llm::fuzz {

// Not assert: it must hold in every build.
inline void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// The target's input: choices first, then the text under test.
class Input {
 public:
  Input(const uint8_t* data, size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}

  uint8_t Byte() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }
  // Up to the first `mark`, which is dropped.
  std::string_view Until(char mark) {
    const size_t end = std::min(rest_.find(mark), rest_.size());
    const std::string_view part = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return part;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

// `text` in pieces of 1 to `seed` % 32 + 1 bytes; 0: in one. Each piece has
// memory of its own, so that a view kept too long is a view of freed memory.
inline std::vector<std::string> Cut(std::string_view text, uint8_t seed) {
  std::vector<std::string> pieces;
  const size_t longest = seed % 32 + 1;
  uint32_t state = seed;
  while (!text.empty()) {
    state = state * 1664525 + 1013904223;
    const size_t size = seed == 0 ? text.size() : (state >> 16) % longest + 1;
    pieces.emplace_back(text.substr(0, size));
    pieces.back().shrink_to_fit();
    text.remove_prefix(std::min(size, text.size()));
  }
  return pieces;
}

}  // namespace llm::fuzz

#endif  // LLM_TESTS_FUZZ_FUZZ_CHECK_H_
