#include "adapters/dialect/text_fragments.h"

#include <algorithm>
#include <utility>

#include "adapters/core/utf8.h"

namespace llm {
namespace {

constexpr std::string_view kOpen = "<think>";
constexpr std::string_view kClose = "</think>";
constexpr std::string_view kSpace = " \t\r\n";

unsigned char Byte(std::string_view text, size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// ED A0..AF xx is U+D800..DBFF, ED B0..BF xx is U+DC00..DFFF.
bool IsHighHalf(std::string_view text) {
  return text.size() == 3 && Byte(text, 0) == 0xED && Byte(text, 1) >= 0xA0 &&
         Byte(text, 1) <= 0xAF;
}

bool StartsWithLowHalf(std::string_view text) {
  return text.size() >= 3 && Byte(text, 0) == 0xED && Byte(text, 1) >= 0xB0;
}

uint32_t HalfBits(std::string_view text) {
  return (uint32_t{Byte(text, 1)} & 0x0F) << 6 |
         (uint32_t{Byte(text, 2)} & 0x3F);
}

std::string JoinHalves(std::string_view high, std::string_view low) {
  const uint32_t code = 0x10000 + (HalfBits(high) << 10 | HalfBits(low));
  return {static_cast<char>(0xF0 | code >> 18),
          static_cast<char>(0x80 | (code >> 12 & 0x3F)),
          static_cast<char>(0x80 | (code >> 6 & 0x3F)),
          static_cast<char>(0x80 | (code & 0x3F))};
}

// Length of the longest end of `text` that is a start of `tag`.
size_t PartialTag(std::string_view text, std::string_view tag) {
  size_t n = std::min(text.size(), tag.size() - 1);
  while (n > 0 && text.substr(text.size() - n) != tag.substr(0, n)) --n;
  return n;
}

}  // namespace

std::string SurrogateJoiner::Push(std::string text) {
  if (text.empty()) return text;
  if (!held_.empty()) {
    if (StartsWithLowHalf(text)) {
      text = JoinHalves(held_, text) + text.substr(3);
    } else {
      text = held_ + text;
    }
    held_.clear();
  }
  if (text.size() >= 3) {
    const std::string_view tail =
        std::string_view(text).substr(text.size() - 3);
    if (IsHighHalf(tail)) {
      held_ = std::string(tail);
      text.resize(text.size() - 3);
    }
  }
  return text;
}

std::string SurrogateJoiner::Flush() { return std::exchange(held_, {}); }

void ThinkSplitter::AtStart(Pieces& out) {
  const size_t from = held_.find_first_not_of(kSpace);
  if (from == std::string::npos) return;
  const std::string_view rest = std::string_view(held_).substr(from);
  if (rest.substr(0, kOpen.size()) == kOpen) {
    held_ = std::string(rest.substr(kOpen.size()));
    state_ = State::kAfterOpen;
  } else if (kOpen.substr(0, rest.size()) != rest) {
    out.text += std::exchange(held_, {});
    state_ = State::kPlain;
  }
}

void ThinkSplitter::Inside(Pieces& out) {
  const size_t close = held_.find(kClose);
  if (close != std::string::npos) {
    out.reasoning += held_.substr(0, close);
    held_.erase(0, close + kClose.size());
    state_ = State::kAfterClose;
    return;
  }
  const size_t keep = PartialTag(held_, kClose);
  out.reasoning += held_.substr(0, held_.size() - keep);
  held_.erase(0, held_.size() - keep);
}

void ThinkSplitter::SkipSpace(State next) {
  held_.erase(0, held_.find_first_not_of(kSpace));
  if (!held_.empty()) state_ = next;
}

ThinkSplitter::Pieces ThinkSplitter::Push(std::string_view text) {
  Pieces out;
  held_ += text;
  if (state_ == State::kStart) AtStart(out);
  if (state_ == State::kAfterOpen) SkipSpace(State::kInside);
  if (state_ == State::kInside) Inside(out);
  if (state_ == State::kAfterClose) SkipSpace(State::kPlain);
  if (state_ == State::kPlain) out.text += std::exchange(held_, {});
  return out;
}

ThinkSplitter::Pieces ThinkSplitter::Flush() {
  Pieces out;
  std::string& to = state_ == State::kInside ? out.reasoning : out.text;
  if (state_ == State::kStart || state_ == State::kInside) to = held_;
  held_.clear();
  if (state_ == State::kStart) state_ = State::kPlain;
  return out;
}

int64_t CountCodePoints(std::string_view text) {
  return CountCharacters(text).all;
}

}  // namespace llm
