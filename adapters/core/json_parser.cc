// The one pass from text to nodes. No recursion: an open container keeps its
// parent's index in `next` until it is closed, so depth costs no stack and no
// allocation.
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "adapters/core/json.h"
#include "adapters/core/utf8.h"

namespace llm {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsHexDigit(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

class JsonDocument::Parser {
 public:
  Parser(std::string_view text, Options options, std::vector<Node>& nodes)
      : begin_(text.data()),
        at_(begin_),
        end_(begin_ + text.size()),
        max_depth_(options.max_depth),
        max_values_(options.max_values),
        nodes_(nodes) {}

  absl::Status Run() {
    bool good = Value(0, 0, false);
    while (good && open_ != kNoNode) good = Step();
    if (good) {
      SkipSpace();
      good = at_ == end_ || Fail("text after the value");
    }
    if (good) return absl::OkStatus();
    if (too_many_) {
      return absl::ResourceExhaustedError(
          absl::StrCat("more than ", max_values_, " JSON values"));
    }
    return absl::InvalidArgumentError(
        absl::StrCat("malformed JSON at byte ", at_ - begin_, ": ", reason_));
  }

 private:
  static constexpr uint32_t kNoNode = std::numeric_limits<uint32_t>::max();

  bool Fail(const char* reason) {
    reason_ = at_ == end_ ? "unexpected end" : reason;
    return false;
  }

  uint32_t Offset() const { return static_cast<uint32_t>(at_ - begin_); }

  void SkipSpace() {
    while (at_ != end_ &&
           (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) {
      ++at_;
    }
  }

  // One element or member of the open container, or its end.
  bool Step() {
    SkipSpace();
    if (at_ == end_) return Fail("");
    const bool object = nodes_[open_].type == JsonType::kObject;
    if (*at_ == (object ? '}' : ']')) {
      Close();
      return true;
    }
    if (nodes_[open_].count > 0) {
      if (*at_ != ',') return Fail("expected a comma or the end");
      ++at_;
      SkipSpace();
    }
    ++nodes_[open_].count;
    if (!object) return Value(0, 0, false);
    if (at_ == end_ || *at_ != '"') return Fail("expected a member name");
    const uint32_t key_begin = Offset();
    bool escaped = false;
    if (!String(&escaped)) return false;
    const uint32_t key_end = Offset();
    // An escape may spell any name.
    nodes_[open_].names |=
        escaped ? ~uint32_t{0}
                : NameBit({begin_ + key_begin + 1, key_end - key_begin - 2});
    SkipSpace();
    if (at_ == end_ || *at_ != ':') return Fail("expected a colon");
    ++at_;
    return Value(key_begin, key_end, escaped);
  }

  void Close() {
    ++at_;
    Node& node = nodes_[open_];
    open_ = node.next;
    node.end = Offset();
    node.next = static_cast<uint32_t>(nodes_.size());
    --depth_;
  }

  // A whole scalar, or the opening of a container.
  bool Value(uint32_t key_begin, uint32_t key_end, bool key_escaped) {
    SkipSpace();
    if (at_ == end_) return Fail("");
    if (nodes_.size() >= max_values_) {
      too_many_ = true;
      return false;
    }
    const auto index = static_cast<uint32_t>(nodes_.size());
    Node& node =
        nodes_.emplace_back(Node{Offset(), 0, index + 1, key_begin, key_end, 0,
                                 0, JsonType::kNone, false, key_escaped});
    switch (*at_) {
      case '{':
        return Open(JsonType::kObject, index);
      case '[':
        return Open(JsonType::kArray, index);
      case '"':
        node.type = JsonType::kString;
        if (!String(&node.escaped)) return false;
        break;
      case 't':
        node.type = JsonType::kBool;
        if (!Word("true")) return false;
        break;
      case 'f':
        node.type = JsonType::kBool;
        if (!Word("false")) return false;
        break;
      case 'n':
        node.type = JsonType::kNull;
        if (!Word("null")) return false;
        break;
      default:
        node.type = JsonType::kNumber;
        if (!Number()) return false;
    }
    node.end = Offset();
    return true;
  }

  bool Open(JsonType type, uint32_t index) {
    if (depth_ >= max_depth_) return Fail("nested too deeply");
    ++depth_;
    ++at_;
    nodes_[index].type = type;
    nodes_[index].next = open_;
    open_ = index;
    return true;
  }

  bool Word(std::string_view word) {
    for (const char c : word) {
      if (at_ == end_ || *at_ != c) return Fail("unknown word");
      ++at_;
    }
    return true;
  }

  bool Digits() {
    if (at_ == end_ || !IsDigit(*at_)) return Fail("expected a digit");
    while (at_ != end_ && IsDigit(*at_)) ++at_;
    return true;
  }

  bool Number() {
    if (*at_ == '-') {
      ++at_;
    } else if (!IsDigit(*at_)) {
      return Fail("expected a value");
    }
    if (at_ != end_ && *at_ == '0') {
      ++at_;
      if (at_ != end_ && IsDigit(*at_)) return Fail("leading zero");
    } else if (!Digits()) {
      return false;
    }
    if (at_ != end_ && *at_ == '.') {
      ++at_;
      if (!Digits()) return false;
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      ++at_;
      if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      return Digits();
    }
    return true;
  }

  // From the opening quote to past the closing one.
  bool String(bool* escaped) {
    ++at_;
    while (true) {
      at_ = SkipPlainAscii(at_, end_);
      if (at_ == end_) return Fail("");
      const auto c = static_cast<unsigned char>(*at_);
      if (c == '"') {
        ++at_;
        return true;
      }
      if (c < 0x20) return Fail("control character in a string");
      if (c == '\\') {
        *escaped = true;
        if (!Escape()) return false;
        continue;
      }
      if (!NonAscii()) return false;
    }
  }

  // A run of multi-byte sequences: Chinese text is long stretches of them.
  bool NonAscii() {
    do {
      const Utf8Sequence sequence = ReadUtf8(at_, end_);
      if (sequence.kind != Utf8Kind::kValid) return Fail("malformed UTF-8");
      at_ += sequence.length;
    } while (at_ != end_ && static_cast<unsigned char>(*at_) >= 0x80);
    return true;
  }

  bool Escape() {
    ++at_;
    if (at_ == end_) return Fail("");
    if (*at_ != 'u') {
      if (std::memchr("\"\\/bfnrt", *at_, 8) == nullptr) {
        return Fail("unknown escape");
      }
      ++at_;
      return true;
    }
    ++at_;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ == end_ || !IsHexDigit(*at_)) return Fail("bad \\u escape");
    }
    return true;
  }

  const char* const begin_;
  const char* at_;
  const char* const end_;
  const int max_depth_;
  const size_t max_values_;
  std::vector<Node>& nodes_;
  uint32_t open_ = kNoNode;
  int depth_ = 0;
  bool too_many_ = false;
  const char* reason_ = "";
};

absl::StatusOr<JsonDocument> JsonDocument::Parse(std::string_view text,
                                                 Options options) {
  JsonDocument document;
  absl::Status status = document.Reparse(text, options);
  if (!status.ok()) return status;
  return document;
}

absl::Status JsonDocument::Reparse(std::string_view text, Options options) {
  nodes_.clear();
  text_ = {};
  if (text.size() > std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError("JSON text of 4 GiB or more");
  }
  absl::Status status = Parser(text, options, nodes_).Run();
  if (status.ok()) {
    text_ = text;
  } else {
    nodes_.clear();
  }
  return status;
}

}  // namespace llm
