// Random texts and random damage with a fixed seed.
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <string_view>

#include "adapters/core/json.h"

namespace llm {
namespace {

using Generator = std::mt19937_64;

size_t Below(Generator& random, size_t bound) { return random() % bound; }

std::string RandomString(Generator& random) {
  static constexpr std::string_view kPieces[] = {
      "a",        "key",  " ",          "\\n",          "\\\"",
      "\\\\",     "\\/",  "\\u0041",    "\\ud83d",      "\\uDE00",
      "\xC3\xA9", "\x7F", "\\u0000",    "\xE4\xBD\xA0", "\xF0\x9F\x98\x80",
      "{",        "]",    "abcdefghij",
  };
  std::string text = "\"";
  for (size_t i = Below(random, 6); i > 0; --i) {
    text += kPieces[Below(random, std::size(kPieces))];
  }
  return text + "\"";
}

std::string RandomSpace(Generator& random) {
  static constexpr std::string_view kSpace[] = {"", "", "", " ", "\n", "\t\r "};
  return std::string(kSpace[Below(random, std::size(kSpace))]);
}

std::string RandomJson(Generator& random, int depth) {
  static constexpr std::string_view kScalars[] = {
      "null", "true", "false", "0",       "-1",
      "0.7",  "1e3",  "1.50",  "-0.0e-0", "12345678901234567890"};
  const size_t kind = Below(random, depth > 0 ? 4 : 2);
  if (kind == 0) return std::string(kScalars[Below(random, 10)]);
  if (kind == 1) return RandomString(random);
  const bool object = kind == 2;
  std::string text = object ? "{" : "[";
  const size_t count = Below(random, 5);
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) text += ",";
    text += RandomSpace(random);
    if (object) text += RandomString(random) + RandomSpace(random) + ":";
    text += RandomSpace(random) + RandomJson(random, depth - 1);
    text += RandomSpace(random);
  }
  if (count == 0) text += RandomSpace(random);
  return text + (object ? "}" : "]");
}

// Writes `value` anew from its parts, strings decoded and quoted again.
void Render(JsonValue value, JsonWriter& writer) {
  if (value.is_object()) {
    writer.BeginObject();
    for (JsonValue v = value.First(); v; v = v.Next()) {
      writer.Key(v.Key());
      Render(v, writer);
    }
    writer.EndObject();
  } else if (value.is_array()) {
    writer.BeginArray();
    for (JsonValue v = value.First(); v; v = v.Next()) Render(v, writer);
    writer.EndArray();
  } else if (value.is_string()) {
    writer.String(value.StringOr());
  } else {
    writer.Raw(value.raw());
  }
}

bool Same(JsonValue a, JsonValue b) {
  if (a.type() != b.type() || a.size() != b.size() || a.Key() != b.Key()) {
    return false;
  }
  if (a.is_string()) return a.StringOr() == b.StringOr();
  if (!a.is_object() && !a.is_array()) return a.raw() == b.raw();
  JsonValue x = a.First();
  JsonValue y = b.First();
  for (; x && y; x = x.Next(), y = y.Next()) {
    if (!Same(x, y)) return false;
  }
  return !x && !y;
}

// Puts a document together from raw spans and what lies between them.
std::string Splice(JsonValue root, std::string_view text) {
  std::string copy;
  size_t at = 0;
  for (JsonValue v = root.First(); v; v = v.Next()) {
    copy += text.substr(at, v.offset() - at);
    copy += v.raw();
    at = v.offset() + v.raw().size();
  }
  return copy + std::string(text.substr(at));
}

TEST_CASE("Random documents keep their text, order and meaning",
          "[adapters][core][json][fuzz]") {
  Generator random(20261122);
  JsonDocument document;
  JsonDocument again;
  for (int round = 0; round < 3000; ++round) {
    const std::string text = RandomJson(random, 5);
    CAPTURE(text);
    REQUIRE(document.Reparse(text, {}).ok());
    REQUIRE(document.root().raw() == text);
    REQUIRE(Splice(document.root(), text) == text);
    std::string out;
    JsonWriter writer(&out);
    Render(document.root(), writer);
    REQUIRE(again.Reparse(out, {}).ok());
    REQUIRE(Same(document.root(), again.root()));
  }
}

// Visits everything a reader could touch.
size_t Walk(JsonValue value) {
  size_t sum = value.raw().size() + value.Key().size();
  sum += value.StringOr().size();
  sum += value.AsInt64().has_value() + value.AsDouble().has_value();
  for (JsonValue v = value.First(); v; v = v.Next()) sum += Walk(v);
  return sum;
}

void Damage(Generator& random, std::string* text) {
  static constexpr std::string_view kBytes = "\"\\{}[],:0eE+-.u \n\x80\xED\xFF";
  const size_t at = Below(random, text->size());
  const char byte = Below(random, 2) == 0 ? static_cast<char>(random() & 0xFF)
                                          : kBytes[Below(random, 20)];
  switch (Below(random, 4)) {
    case 0:
      (*text)[at] = byte;
      break;
    case 1:
      text->insert(at, 1, byte);
      break;
    case 2:
      text->erase(at, 1 + Below(random, 4));
      break;
    default:
      text->insert(at, text->substr(Below(random, text->size()), 8));
  }
}

TEST_CASE("Damaged documents are refused or read, never worse",
          "[adapters][core][json][fuzz]") {
  Generator random(4);
  JsonDocument document;
  int refused = 0;
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = RandomJson(random, 4) + " ";
    for (size_t i = Below(random, 4); i > 0 && !text.empty(); --i) {
      Damage(random, &text);
    }
    if (!document.Reparse(text, {}).ok()) {
      ++refused;
      REQUIRE_FALSE(document.root());
      continue;
    }
    ++accepted;
    REQUIRE(IsValidUtf8(text));
    REQUIRE(Walk(document.root()) >= document.root().raw().size());
  }
  // Both ways were taken often.
  CHECK(refused > 4000);
  CHECK(accepted > 4000);
}

}  // namespace
}  // namespace llm
