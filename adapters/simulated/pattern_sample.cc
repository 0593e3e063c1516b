// A string for a regular expression: literals, classes, groups, alternatives
// and counts; the first alternative and the smallest count always do.
#include <cctype>

#include "adapters/simulated/schema_sample.h"

namespace llm {
namespace {

class PatternSampler {
 public:
  PatternSampler(std::string_view pattern, uint64_t seed, SampleBudget& budget)
      : pattern_(pattern), seed_(seed), budget_(budget) {
    budget_.Look(pattern.size());
    if (budget_.spent()) failed_ = true;
  }

  std::string Run() {
    std::string out = Alternatives(0);
    return failed_ || at_ != pattern_.size() ? std::string() : out;
  }

 private:
  static constexpr int kMaxDepth = 20;
  static constexpr int kMaxRepeat = 256;

  bool AtEnd() const { return at_ >= pattern_.size(); }
  char Peek() const { return AtEnd() ? '\0' : pattern_[at_]; }

  // The first alternative; the others are read over.
  std::string Alternatives(int depth) {
    if (depth > kMaxDepth) failed_ = true;
    if (failed_) return {};
    std::string first = Sequence(depth);
    while (Peek() == '|') {
      ++at_;
      Sequence(depth);
    }
    return first;
  }

  std::string Sequence(int depth) {
    std::string out;
    while (!AtEnd() && Peek() != '|' && Peek() != ')' && !failed_) {
      if (Peek() == '^' || Peek() == '$') {
        ++at_;
        continue;
      }
      const std::string atom = Atom(depth);
      Repeat(atom, Count(), &out);
    }
    return out;
  }

  // Groups in groups multiply: paid for before it is written.
  void Repeat(std::string_view atom, int count, std::string* out) {
    if (atom.empty() || count == 0) return;
    budget_.Write(atom.size() * static_cast<size_t>(count));
    if (budget_.spent()) failed_ = true;
    if (failed_) return;
    for (int i = 0; i < count; ++i) *out += atom;
  }

  std::string Atom(int depth) {
    const char c = pattern_[at_++];
    if (c == '(') return Group(depth);
    if (c == '[') return Class();
    if (c == '\\') return Escape();
    if (c == '.') return "a";
    if (c == '*' || c == '+' || c == '?') failed_ = true;
    return std::string(1, c);
  }

  std::string Group(int depth) {
    if (Peek() == '?') {
      // Only (?:…); look-around is beyond a sampler.
      if (pattern_.substr(at_, 2) != "?:") failed_ = true;
      at_ += 2;
    }
    std::string inner = Alternatives(depth + 1);
    if (Peek() != ')') failed_ = true;
    ++at_;
    return inner;
  }

  std::string Escape() {
    if (AtEnd()) {
      failed_ = true;
      return {};
    }
    const char c = pattern_[at_++];
    switch (c) {
      case 'd':
        return std::string(1, static_cast<char>('1' + seed_ % 9));
      case 'w':
        return "a";
      case 's':
        return " ";
      case 'n':
        return "\n";
      case 't':
        return "\t";
      case 'b':
        return {};
      default:
        if (std::isalnum(static_cast<unsigned char>(c))) failed_ = true;
        return std::string(1, c);
    }
  }

  std::string Class() {
    const bool negated = Peek() == '^';
    if (negated) ++at_;
    const size_t close = pattern_.find(']', at_ + 1);
    if (close == std::string_view::npos) {
      failed_ = true;
      return {};
    }
    const std::string_view body = pattern_.substr(at_, close - at_);
    at_ = close + 1;
    if (!negated && body[0] == '\\' && body.size() > 1) {
      return std::string(1, ClassEscape(body[1]));
    }
    if (!negated) return std::string(1, body[0]);
    for (const char candidate : std::string_view("a1 _-zA")) {
      if (body.find(candidate) == std::string_view::npos) {
        return std::string(1, candidate);
      }
    }
    failed_ = true;
    return {};
  }

  static char ClassEscape(char c) {
    if (c == 'd') return '1';
    if (c == 'w') return 'a';
    return c == 's' ? ' ' : c;
  }

  int Count() {
    int count = 1;
    if (Peek() == '*' || Peek() == '?') {
      count = 0;
      ++at_;
    } else if (Peek() == '+') {
      ++at_;
    } else if (Peek() == '{') {
      ++at_;
      count = 0;
      while (std::isdigit(static_cast<unsigned char>(Peek())) != 0) {
        count = count * 10 + (pattern_[at_++] - '0');
        if (count > kMaxRepeat) failed_ = true;
        if (failed_) return 0;
      }
      while (!AtEnd() && Peek() != '}') ++at_;
      if (Peek() != '}') failed_ = true;
      ++at_;
    }
    if (Peek() == '?') ++at_;  // lazy
    return count;
  }

  std::string_view pattern_;
  uint64_t seed_;
  SampleBudget& budget_;
  size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace

std::string SamplePattern(std::string_view pattern, uint64_t seed,
                          SampleBudget& budget) {
  return PatternSampler(pattern, seed, budget).Run();
}

}  // namespace llm
