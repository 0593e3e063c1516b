#include "adapters/simulated/prompt_facts.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <cctype>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/core/json.h"
#include "adapters/core/text.h"
#include "adapters/core/utf8.h"
#include "adapters/simulated/prompt_values.h"

namespace llm {
namespace {

constexpr size_t kMaxSketchBytes = 65536;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }

bool LooksLikeDate(std::string_view text) {
  static constexpr std::string_view kShape = "dddd-dd-dd";
  if (text.size() < kShape.size()) return false;
  for (size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == 'd' ? !IsDigit(text[i]) : text[i] != '-') return false;
  }
  return true;
}

// Words that are written in capitals but are no ticker.
bool IsCommonCapital(std::string_view word) {
  static constexpr std::string_view kWords[] = {
      "JSON",        "FINAL",    "BUY",  "SELL", "HOLD", "AND",       "NOT",
      "THE",         "MACD",     "RSI",  "SMA",  "EMA",  "ATR",       "PE",
      "PB",          "ROE",      "USD",  "CNY",  "API",  "IMPORTANT", "MUST",
      "TRANSACTION", "PROPOSAL", "YYYY", "MM",   "DD",   "II",        "AI",
      "ETF",         "IPO",      "CEO",  "EPS"};
  return std::find(std::begin(kWords), std::end(kWords), word) !=
         std::end(kWords);
}

void FindSymbol(std::string_view text, PromptFacts& facts) {
  size_t i = 0;
  while (i < text.size()) {
    if (!std::isalnum(static_cast<unsigned char>(text[i]))) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < text.size() &&
           std::isalnum(static_cast<unsigned char>(text[end]))) {
      ++end;
    }
    const std::string_view word = text.substr(i, end - i);
    const bool code =
        word.size() == 6 && std::all_of(word.begin(), word.end(), IsDigit);
    const bool ticker = word.size() >= 2 && word.size() <= 5 &&
                        std::all_of(word.begin(), word.end(), IsUpper) &&
                        !IsCommonCapital(word);
    if (code || ticker) facts.symbol = std::string(word);
    i = end;
  }
}

// From the first brace that is followed by a quoted name to its end. Every
// byte is looked at once: prompts are long and may be made of braces.
std::string_view FindSketch(std::string_view text) {
  size_t open = text.find('{');
  while (open != std::string_view::npos) {
    const size_t name = text.find_first_not_of(" \r\n\t{", open + 1);
    if (name == std::string_view::npos) return {};
    if (text[name] == '"') {
      const size_t close = text.find('}', name);
      const bool fits =
          close != std::string_view::npos && close - open < kMaxSketchBytes;
      return fits ? text.substr(open, close - open + 1) : std::string_view();
    }
    open = text.find('{', name);
  }
  return {};
}

void ReadStretch(std::string_view text, PromptFacts& facts) {
  for (size_t i = 0; i + 10 <= text.size(); ++i) {
    if (IsDigit(text[i]) && LooksLikeDate(text.substr(i))) {
      facts.date = std::string(text.substr(i, 10));
    }
  }
  FindSymbol(text, facts);
  const absl::string_view view = ToAbsl(text);
  if (absl::StrContains(view, "FINAL TRANSACTION PROPOSAL")) {
    facts.wants_proposal = true;
  }
  if (absl::StrContains(view, "Rating")) facts.wants_rating = true;
  if (!absl::StrContains(view, "JSON") && !absl::StrContains(view, "json")) {
    return;
  }
  facts.asks_for_json = true;
  const std::string_view sketch = FindSketch(text);
  if (!sketch.empty()) facts.json_sketch = std::string(sketch);
}

// What is asked stands at the beginning of a prompt or at its end; between them
// may be megabytes of material.
void ReadText(std::string_view text, PromptFacts& facts) {
  constexpr size_t kRead = size_t{64} << 10;
  if (text.size() <= 2 * kRead) return ReadStretch(text, facts);
  ReadStretch(text.substr(0, kRead), facts);
  ReadStretch(text.substr(text.size() - kRead), facts);
}

// FNV-1a over words of eight bytes.
class Fnv {
 public:
  void Add(uint64_t word) { hash_ = (hash_ ^ word) * 1099511628211ULL; }
  void Add(const google::protobuf::MessageLite& message) {
    std::string bytes;
    {
      google::protobuf::io::StringOutputStream stream(&bytes);
      google::protobuf::io::CodedOutputStream coded(&stream);
      coded.SetSerializationDeterministic(true);
      message.SerializeToCodedStream(&coded);
    }
    Add(bytes.size());
    bytes.resize((bytes.size() + 7) / 8 * 8);
    for (size_t at = 0; at < bytes.size(); at += 8) {
      uint64_t word = 0;
      std::memcpy(&word, bytes.data() + at, sizeof(word));
      Add(word);
    }
  }
  uint64_t value() const { return hash_ ^ hash_ >> 32; }

 private:
  uint64_t hash_ = 14695981039346656037ULL;
};

// A plausible value for what the sketch says after the colon.
std::string SketchValue(std::string_view after) {
  const size_t start = after.find_first_not_of(" \t");
  if (start == std::string_view::npos) return "\"\"";
  after.remove_prefix(start);
  if (IsDigit(after[0]) || after[0] == '-') {
    const size_t end = after.find_first_not_of("0123456789.-");
    std::string number(after.substr(0, end));
    double ignored = 0;
    try {
      ignored = std::stod(number);
    } catch (const std::exception&) {
      return "1";
    }
    std::string out;
    JsonWriter(&out).Double(ignored);
    return out;
  }
  if (after[0] == '[') return "[]";
  if (after[0] == '"') {
    const size_t end = after.find('"', 1);
    if (end == std::string_view::npos) return "\"\"";
    std::string_view words = after.substr(1, end - 1);
    // "buy/hold/sell" offers a choice: take the first.
    words = words.substr(0, words.find_first_of("/|"));
    return JsonQuote(words);
  }
  const absl::string_view view = ToAbsl(after);
  if (absl::StartsWith(view, "true")) return "true";
  if (absl::StartsWith(view, "false")) return "false";
  return "1.0";  // a word in place of a value stands for a number
}

}  // namespace

std::string TextOf(const v1::Message& message) {
  std::string text;
  for (const v1::Part& part : message.parts()) {
    if (part.has_text()) text += part.text().text();
  }
  return text;
}

PromptFacts ReadPrompt(const v1::ChatCompletionRequest& request) {
  PromptFacts facts;
  for (const v1::Message& message : request.messages()) {
    const bool prompt = message.role() == "user" ||
                        message.role() == "system" ||
                        message.role() == "developer";
    facts.results_are_in =
        message.role() == "tool" || message.role() == "function";
    if (!prompt) continue;
    const std::string text = TextOf(message);
    ReadText(text, facts);
    if (message.role() != "user") continue;
    facts.chinese = CountCharacters(text).cjk > 3;
    facts.subject = text.substr(0, text.find('\n')).substr(0, 60);
    ReplaceInvalidUtf8(&facts.subject);
    facts.question = text.substr(0, kSearchedForValues);
  }
  const std::vector<std::string> quoted = QuotedTexts(facts.question);
  if (!quoted.empty()) facts.quoted = quoted.front();
  if (facts.asks_for_json && facts.json_sketch.empty()) {
    facts.json_sketch = SketchOfNames(facts.question);
  }
  return facts;
}

int64_t CountTokens(std::string_view utf8) {
  const CharacterCount count = CountCharacters(utf8);
  return count.cjk + (count.all - count.cjk + 3) / 4;
}

int64_t CountPromptTokens(const v1::ChatCompletionRequest& request) {
  int64_t tokens = 3;
  for (const v1::Message& message : request.messages()) {
    tokens += 4 + CountTokens(TextOf(message));
    for (const v1::Part& part : message.parts()) {
      if (!part.has_tool_call()) continue;
      tokens += CountTokens(part.tool_call().function().name()) +
                CountTokens(part.tool_call().function().arguments());
    }
  }
  for (const v1::Tool& tool : request.tools()) {
    tokens += 8 + CountTokens(tool.function().name()) +
              CountTokens(tool.function().description()) +
              CountTokens(tool.function().parameters());
  }
  return tokens;
}

uint64_t RequestDigest(const v1::ChatCompletionRequest& request) {
  Fnv digest;
  for (const v1::Message& message : request.messages()) digest.Add(message);
  for (const v1::Tool& tool : request.tools()) digest.Add(tool);
  digest.Add(request.response_format());
  digest.Add(request.tool_choice());
  digest.Add(static_cast<uint64_t>(request.seed()));
  return digest.value();
}

std::string FillSketch(const PromptFacts& facts) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  const std::string_view sketch = facts.json_sketch;
  size_t at = 0;
  bool any = false;
  while ((at = sketch.find('"', at)) != std::string_view::npos) {
    const size_t end = sketch.find('"', at + 1);
    if (end == std::string_view::npos) break;
    const size_t colon = sketch.find_first_not_of(" \t", end + 1);
    if (colon == std::string_view::npos || sketch[colon] != ':') {
      at = end + 1;  // a value, not a name
      continue;
    }
    json.MemberRaw(sketch.substr(at + 1, end - at - 1),
                   SketchValue(sketch.substr(colon + 1)));
    any = true;
    // On to the next line or member: values may hold commas of their own.
    const size_t next = sketch.find_first_of(",\n", colon + 1);
    if (next == std::string_view::npos) break;
    at = next;
  }
  if (!any) {
    json.Member("action", facts.chinese ? "持有" : "hold");
    json.MemberRaw("confidence", "0.7");
    json.Member("reasoning", facts.subject);
  }
  json.EndObject();
  return out;
}

}  // namespace llm
