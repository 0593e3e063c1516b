// Tokens guessed from text where nobody counted them.
//
// Pure. Text may come in pieces, cut anywhere.
// Fact: 0.6 tokens per CJK character, 0.3 per other (users.md, 2026-11).
#ifndef LLM_ROUTER_TOKEN_ESTIMATE_H_
#define LLM_ROUTER_TOKEN_ESTIMATE_H_

#include <cstdint>
#include <string_view>

namespace llm {

class TokenEstimate {
 public:
  void Add(std::string_view utf8);
  // Rounded up once, over everything added.
  int64_t Tokens() const { return (6 * cjk_ + 3 * other_ + 9) / 10; }

 private:
  int64_t cjk_ = 0;
  int64_t other_ = 0;
};

}  // namespace llm

#endif  // LLM_ROUTER_TOKEN_ESTIMATE_H_
