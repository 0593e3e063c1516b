#include "server/http/flat_place.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace llm::server {
namespace {

// True where text may be cut: not inside a character.
bool IsCut(std::string_view text, int64_t at) {
  if (at < 0 || at > static_cast<int64_t>(text.size())) return false;
  const auto i = static_cast<size_t>(at);
  return i == text.size() ||
         (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
}

std::string_view Slice(std::string_view text, int64_t begin, int64_t end) {
  return text.substr(static_cast<size_t>(begin),
                     static_cast<size_t>(end - begin));
}

// Of the text that a check stands for.
constexpr size_t kTail = 16;

// FNV-1a.
uint32_t CheckOf(std::string_view text) {
  uint32_t hash = 2'166'136'261U;
  for (const char c : text.substr(text.size() - std::min(text.size(), kTail))) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619U;
  }
  return hash;
}

bool Fits(const FlatFields& flat, const FlatPlace& last,
          const PlacedPart& one) {
  const FlatPlace& at = *one.at;
  if (at.content < last.content || at.reasoning < last.reasoning ||
      at.calls < last.calls || !IsCut(flat.content, at.content) ||
      !IsCut(flat.reasoning, at.reasoning) ||
      at.calls > static_cast<int64_t>(flat.calls.size()) ||
      at.check != CheckOf(Slice(flat.content, 0, at.content))) {
    return false;
  }
  // A whole answer has the text in both fields.
  return Slice(flat.reasoning, last.reasoning, at.reasoning)
      .ends_with(one.part.reasoning().text());
}

bool AllFit(const FlatFields& flat, std::vector<PlacedPart>& placed) {
  std::stable_sort(placed.begin(), placed.end(),
                   [](const PlacedPart& a, const PlacedPart& b) {
                     return a.at->order < b.at->order;
                   });
  FlatPlace last;
  for (const PlacedPart& one : placed) {
    if (!Fits(flat, last, one)) return false;
    last = *one.at;
  }
  return true;
}

void AddThought(std::string_view text, v1::Message* out) {
  if (text.empty()) return;
  *out->add_parts()->mutable_reasoning()->mutable_text() = std::string(text);
}

void AddText(std::string_view text, v1::Message* out) {
  if (text.empty()) return;
  *out->add_parts()->mutable_text()->mutable_text() = std::string(text);
}

void AddCalls(FlatFields& flat, int64_t begin, int64_t end, v1::Message* out) {
  for (int64_t i = begin; i < end; ++i) {
    *out->add_parts() = std::move(flat.calls[static_cast<size_t>(i)]);
  }
}

// Takes the part's own reasoning off the end of what came since the last
// part; a signature without a text proves all of it.
std::string_view TakeOwn(std::string_view since, v1::Part& part) {
  const v1::ReasoningPart& thought = part.reasoning();
  if (thought.text().empty() && thought.signature().empty()) return since;
  std::string& own = *part.mutable_reasoning()->mutable_text();
  if (own.empty()) own = std::string(since);
  return since.substr(0, since.size() - own.size());
}

}  // namespace

void FlatEnd::AddContent(std::string_view text) {
  place_.content += static_cast<int64_t>(text.size());
  if (text.size() < kTail) {
    tail_.append(text);
  } else {
    tail_ = text.substr(text.size() - kTail);
  }
  if (tail_.size() > kTail) tail_.erase(0, tail_.size() - kTail);
}

FlatPlace FlatEnd::Take() {
  FlatPlace here = place_;
  here.check = CheckOf(tail_);
  ++place_.order;
  return here;
}

void WritePlace(const FlatPlace& place, JsonWriter& json) {
  json.Key("at");
  json.BeginObject();
  json.MemberInt("content", place.content);
  json.MemberInt("reasoning", place.reasoning);
  json.MemberInt("calls", place.calls);
  json.MemberInt("order", place.order);
  json.MemberInt("check", place.check);
  json.EndObject();
}

std::optional<FlatPlace> ReadPlace(JsonValue part) {
  const JsonValue at = part.Find("at");
  const auto content = at.Find("content").AsInt64();
  const auto reasoning = at.Find("reasoning").AsInt64();
  const auto calls = at.Find("calls").AsInt64();
  const auto order = at.Find("order").AsInt64();
  const auto check = at.Find("check").AsInt64();
  if (!content || !reasoning || !calls || !order || !check) return {};
  return FlatPlace{*content, *reasoning, *calls, *order,
                   static_cast<uint32_t>(*check)};
}

bool AddInPlace(FlatFields& flat, std::vector<PlacedPart> placed,
                v1::Message* out) {
  if (!AllFit(flat, placed)) return false;
  FlatPlace last;
  for (PlacedPart& one : placed) {
    const FlatPlace at = *one.at;
    AddThought(
        TakeOwn(Slice(flat.reasoning, last.reasoning, at.reasoning), one.part),
        out);
    AddText(Slice(flat.content, last.content, at.content), out);
    AddCalls(flat, last.calls, at.calls, out);
    *out->add_parts() = std::move(one.part);
    last = at;
  }
  const std::string_view thought = flat.reasoning;
  AddThought(thought.substr(static_cast<size_t>(last.reasoning)), out);
  const std::string_view text = flat.content;
  AddText(text.substr(static_cast<size_t>(last.content)), out);
  flat.calls.erase(flat.calls.begin(), flat.calls.begin() + last.calls);
  return true;
}

}  // namespace llm::server
