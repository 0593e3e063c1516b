#include "adapters/simulated/prompt_values.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "adapters/core/json.h"
#include "adapters/core/text.h"
#include "adapters/core/utf8.h"

namespace llm {
namespace {

constexpr size_t kMostQuotes = 16;
constexpr size_t kMostQuotedBytes = 200;

bool IsWord(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool IsName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsWord) &&
         std::isdigit(static_cast<unsigned char>(text[0])) == 0;
}

// The closing mark for an opening one at the beginning of `text`.
std::pair<std::string_view, std::string_view> MarksAt(std::string_view text) {
  static constexpr std::pair<std::string_view, std::string_view> kMarks[] = {
      {"'", "'"}, {"\"", "\""}, {"`", "`"}, {"“", "”"}, {"「", "」"}};
  for (const auto& marks : kMarks) {
    if (text.substr(0, marks.first.size()) == marks.first) return marks;
  }
  return {};
}

// Whether a JSON number is one that all callers can hold.
bool IsModest(const std::string& number) {
  if (number.find_first_of(".eE") == std::string::npos) {
    int64_t whole = 0;
    return absl::SimpleAtoi(number, &whole);
  }
  double value = 0;
  return absl::SimpleAtod(number, &value) && std::isfinite(value);
}

// A literal of a call as JSON; empty for anything else.
std::string Literal(std::string_view text) {
  const absl::string_view trimmed = absl::StripAsciiWhitespace(ToAbsl(text));
  if (trimmed.empty()) return {};
  const std::vector<std::string> quoted =
      QuotedTexts({trimmed.data(), trimmed.size()});
  if (quoted.size() == 1 && quoted[0].size() + 2 == trimmed.size()) {
    return JsonQuote(quoted[0]);
  }
  const std::string json(trimmed);
  const absl::StatusOr<JsonDocument> parsed = JsonDocument::Parse(json);
  const bool scalar =
      parsed.ok() && (parsed->root().is_bool() ||
                      (parsed->root().is_number() && IsModest(json)));
  return scalar ? json : std::string();
}

// Of "(3, 'x')…" what stands between the parentheses; empty where there is no
// call, or anything but literals.
std::vector<std::string> LiteralsIn(std::string_view rest) {
  const size_t end = rest.find(')');
  if (rest.empty() || rest[0] != '(' || end == std::string_view::npos) {
    return {};
  }
  rest = rest.substr(1, end - 1);
  std::vector<std::string> literals;
  for (absl::string_view part : absl::StrSplit(ToAbsl(rest), ',')) {
    literals.push_back(Literal({part.data(), part.size()}));
    if (literals.back().empty()) return {};
  }
  return literals;
}

// The first sentence of `text`, with its end.
std::string_view SentenceOf(std::string_view text) {
  for (size_t at = text.find_first_of(".!?"); at < text.size();
       at = text.find_first_of(".!?", at + 1)) {
    if (at + 1 == text.size() || absl::ascii_isspace(text[at + 1])) {
      return text.substr(0, at + 1);
    }
  }
  return text;
}

// Whether a sentence speaks of keys or fields; "monkey" does not.
bool SpeaksOfNames(std::string_view sentence) {
  for (size_t at = 0; at < sentence.size(); ++at) {
    const size_t begin = at;
    while (at < sentence.size() && IsWord(sentence[at])) ++at;
    const std::string word =
        absl::AsciiStrToLower(ToAbsl(sentence.substr(begin, at - begin)));
    if (word == "key" || word == "keys" || word == "field" ||
        word == "fields") {
      return true;
    }
  }
  return false;
}

}  // namespace

std::vector<std::string> QuotedTexts(std::string_view text) {
  text = text.substr(0, kSearchedForValues);
  std::vector<std::string> found;
  for (size_t at = 0; at < text.size() && found.size() < kMostQuotes;) {
    const auto [open, close] = MarksAt(text.substr(at));
    if (open.empty() || (at > 0 && IsWord(text[at - 1]))) {
      ++at;
      continue;
    }
    const size_t begin = at + open.size();
    const std::string_view near = text.substr(0, begin + kMostQuotedBytes);
    size_t end = near.find(close, begin);
    // An apostrophe in the quoted words closes nothing.
    while (end != std::string_view::npos && end + close.size() < text.size() &&
           IsWord(text[end + close.size()])) {
      end = near.find(close, end + close.size());
    }
    if (end == std::string_view::npos) {
      at = begin;
      continue;
    }
    if (end > begin) {
      found.emplace_back(text.substr(begin, end - begin));
      ReplaceInvalidUtf8(&found.back());
    }
    at = end + close.size();
  }
  return found;
}

std::vector<std::string> CallLiterals(std::string_view text,
                                      std::string_view name) {
  text = text.substr(0, kSearchedForValues);
  if (name.empty()) return {};
  // A name may stand in words before it stands in a call.
  for (size_t at = text.find(name); at != std::string_view::npos;
       at = text.find(name, at + name.size())) {
    if (at > 0 && IsWord(text[at - 1])) continue;
    std::vector<std::string> found = LiteralsIn(text.substr(at + name.size()));
    if (!found.empty()) return found;
  }
  return {};
}

std::string SketchOfNames(std::string_view text) {
  text = text.substr(0, kSearchedForValues);
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::string_view sentence = SentenceOf(text);
    text.remove_prefix(sentence.size());
    if (!SpeaksOfNames(sentence)) continue;
    for (std::string& name : QuotedTexts(sentence)) {
      const bool known =
          std::find(names.begin(), names.end(), name) != names.end();
      if (known || !IsName(name) || names.size() >= kMostQuotes) continue;
      names.push_back(std::move(name));
    }
  }
  if (names.empty()) return {};
  std::string sketch;
  JsonWriter json(&sketch);
  json.BeginObject();
  for (const std::string& name : names) json.Member(name, "simulated");
  json.EndObject();
  return sketch;
}

}  // namespace llm
