#include "adapters/simulated/schema_sample.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "adapters/core/json.h"
#include "adapters/core/text.h"

namespace llm {
namespace {

// Past this depth optional members are left out and alternatives that end
// the recursion are preferred; past the hard limit everything is null.
constexpr int kSoftDepth = 5;
constexpr int kHardDepth = 40;
// Parsing is quick: so many bytes of a schema count as one step.
constexpr size_t kParsedPerStep = 64;
constexpr int64_t kMaxPadding = 100'000;
// Separators and a value without text of its own.
constexpr size_t kMemberBytes = 6;

// Of valid UTF-8: every byte that continues none begins one.
size_t CodePoints(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(),
      [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

class SchemaSampler {
 public:
  SchemaSampler(JsonValue root, const PromptFacts& facts, uint64_t seed,
                SampleBudget& budget)
      : root_(root), facts_(facts), seed_(seed), budget_(budget) {}

  std::string Sample(JsonValue schema, std::string_view name, int depth) {
    schema = Resolve(schema);
    budget_.Look(1 + schema.size());
    budget_.Write(kMemberBytes);
    if (budget_.spent() || depth > kHardDepth || !schema.is_object()) {
      return "null";
    }
    if (const JsonValue fixed = schema.Find("const")) return Copy(fixed);
    if (const JsonValue options = schema.Find("enum")) {
      return PickElement(options);
    }
    for (const char* word : {"anyOf", "oneOf"}) {
      const JsonValue options = schema.Find(word);
      if (options.is_array()) return SampleOption(options, name, depth);
    }
    if (schema.Find("allOf").is_array() && !schema.Find("properties")) {
      return SampleAll(schema, name, depth);
    }
    return SampleType(schema, TypeOf(schema, depth), name, depth);
  }

 private:
  // A value of the schema itself, if there is room for it.
  std::string Copy(JsonValue value) {
    budget_.Write(value.raw().size());
    return budget_.spent() ? "null" : std::string(value.raw());
  }

  // Follows "#/…" within the document; a loop of references ends.
  JsonValue Resolve(JsonValue schema) {
    for (int hops = 0; hops < 16 && !budget_.spent(); ++hops) {
      budget_.Look(1 + schema.size());
      const JsonValue ref = schema.Find("$ref");
      if (!ref.is_string()) return schema;
      const std::string path = ref.StringOr();
      if (path.empty() || path[0] != '#') return {};
      JsonValue target = root_;
      budget_.Look(path.size());
      for (absl::string_view step :
           absl::StrSplit(path.substr(1), '/', absl::SkipEmpty())) {
        budget_.Look(target.size());
        target =
            target.Find(absl::StrReplaceAll(step, {{"~1", "/"}, {"~0", "~"}}));
      }
      schema = target;
    }
    return {};
  }

  std::string PickElement(JsonValue array) {
    const size_t count = array.size();
    budget_.Look(count);
    if (count == 0 || budget_.spent()) return "null";
    JsonValue element = array.First();
    for (size_t skip = seed_ % count; skip > 0; --skip) {
      element = element.Next();
    }
    return Copy(element);
  }

  // The first alternative that is not null; deep down, the first that is.
  std::string SampleOption(JsonValue options, std::string_view name,
                           int depth) {
    JsonValue chosen = options.First();
    for (JsonValue option = options.First(); option && !budget_.spent();
         option = option.Next()) {
      const bool is_null = Resolve(option).Find("type").Equals("null");
      if (is_null == (depth > kSoftDepth)) {
        chosen = option;
        break;
      }
    }
    return Sample(chosen, name, depth + 1);
  }

  // Objects are joined member by member; for anything else the first rules.
  std::string SampleAll(JsonValue schema, std::string_view name, int depth) {
    const JsonValue all = schema.Find("allOf");
    std::string joined;
    JsonWriter json(&joined);
    json.BeginObject();
    bool objects = false;
    for (JsonValue part = all.First(); part && !budget_.spent();
         part = part.Next()) {
      const std::string sample = Sample(part, name, depth + 1);
      if (sample.empty() || sample[0] != '{') {
        if (!objects) return sample;
        continue;
      }
      objects = true;
      json.RawMembers(sample);
    }
    json.EndObject();
    return joined;
  }

  std::string TypeOf(JsonValue schema, int depth) {
    const JsonValue type = schema.Find("type");
    if (type.is_string()) return type.StringOr();
    if (type.is_array()) {
      budget_.Look(type.size());
      std::string first = type.First().StringOr("null");
      for (JsonValue t = type.First(); t; t = t.Next()) {
        if (t.Equals("null") == (depth > kSoftDepth)) return t.StringOr();
      }
      return first;
    }
    if (schema.Find("properties")) return "object";
    if (schema.Find("items") || schema.Find("prefixItems")) return "array";
    if (schema.Find("minimum") || schema.Find("maximum")) return "number";
    return schema.size() == 0 || !schema.Find("additionalProperties")
               ? "string"
               : "object";
  }

  std::string SampleType(JsonValue schema, std::string_view type,
                         std::string_view name, int depth) {
    if (type == "object") return SampleObject(schema, depth);
    if (type == "array") return SampleArray(schema, name, depth);
    if (type == "integer") return SampleNumber(schema, name, true);
    if (type == "number") return SampleNumber(schema, name, false);
    if (type == "boolean") return (seed_ & 1) != 0 ? "true" : "false";
    if (type == "null") return "null";
    const std::string text = JsonQuote(SampleString(schema, name));
    budget_.Write(text.size());
    return text;
  }

  std::string SampleObject(JsonValue schema, int depth) {
    std::string out;
    JsonWriter json(&out);
    json.BeginObject();
    const JsonValue required = schema.Find("required");
    const JsonValue properties = schema.Find("properties");
    budget_.Look(required.size() + properties.size());
    std::unordered_set<std::string> wanted;
    size_t at = 0;
    for (JsonValue r = required.First(); r && !budget_.spent(); r = r.Next()) {
      wanted.insert(r.StringOr());
    }
    for (JsonValue p = properties.First(); p && !budget_.spent();
         p = p.Next()) {
      const std::string key = p.Key();
      const bool is_required = wanted.erase(key) > 0;
      const size_t place = at++;
      if (depth == 0 && place < facts_.literals.size() &&
          Takes(p, facts_.literals[place])) {
        json.MemberRaw(key, facts_.literals[place]);
        continue;
      }
      // An optional argument is best left to its default; a default value
      // is as good as the schema gets.
      if (!is_required && (depth > 0 || p.Find("default"))) continue;
      Member(key, p, depth, json);
    }
    // Required, but not described: in the order of the schema.
    for (JsonValue r = required.First(); r && !budget_.spent(); r = r.Next()) {
      const std::string key = r.StringOr();
      if (wanted.erase(key) == 0) continue;
      Member(key, schema.Find("additionalProperties"), depth, json);
    }
    json.EndObject();
    return out;
  }

  // Whether a literal conforms, where the schema says no more than a type and
  // limits of numbers.
  bool Takes(JsonValue schema, const std::string& literal) {
    budget_.Look(1 + schema.size());
    budget_.Write(literal.size());
    if (budget_.spent()) return false;
    double number = 0;
    const bool counts = absl::SimpleAtod(literal, &number);
    for (JsonValue word = schema.First(); word; word = word.Next()) {
      const std::string key = word.Key();
      if (key == "type" || key == "title" || key == "description" ||
          key == "default") {
        continue;
      }
      const double limit = word.AsDouble().value_or(0);
      const bool keeps = (key == "minimum" && number >= limit) ||
                         (key == "exclusiveMinimum" && number > limit) ||
                         (key == "maximum" && number <= limit) ||
                         (key == "exclusiveMaximum" && number < limit);
      if (!counts || !keeps) return false;
    }
    const std::string type = schema.Find("type").StringOr();
    if (literal[0] == '"') return type == "string";
    if (literal == "true" || literal == "false") return type == "boolean";
    const bool whole = literal.find_first_of(".eE") == std::string::npos;
    return type == "number" || (type == "integer" && whole);
  }

  void Member(const std::string& key, JsonValue schema, int depth,
              JsonWriter& json) {
    budget_.Write(key.size());
    json.MemberRaw(key, Sample(schema, key, depth + 1));
  }

  std::string SampleArray(JsonValue schema, std::string_view name, int depth) {
    std::string out;
    JsonWriter json(&out);
    json.BeginArray();
    int64_t written = 0;
    const JsonValue prefix = schema.Find("prefixItems");
    for (JsonValue item = prefix.First(); item && !budget_.spent();
         item = item.Next()) {
      json.Raw(Sample(item, name, depth + 1));
      ++written;
    }
    const JsonValue items = schema.Find("items");
    const int64_t least = schema.Find("minItems")
                              .AsInt64()
                              .value_or(depth > kSoftDepth || prefix ? 0 : 1);
    const int64_t most =
        schema.Find("maxItems").AsInt64().value_or(std::max<int64_t>(least, 1));
    const uint64_t seed = seed_;
    for (; written < std::min(std::max<int64_t>(least, 0), most) &&
           written < 1000 && !budget_.spent();
         ++written) {
      json.Raw(items.is_object() ? Sample(items, name, depth + 1)
                                 : PlainItem(written));
      ++seed_;  // uniqueItems: the next element differs
    }
    seed_ = seed;
    json.EndArray();
    return out;
  }

  std::string PlainItem(int64_t index) {
    std::string item = JsonQuote(absl::StrCat("item ", index));
    budget_.Look(1);
    budget_.Write(item.size());
    return item;
  }

  std::string SampleNumber(JsonValue schema, std::string_view name,
                           bool integer) const {
    const auto bound = [&schema](const char* word) {
      return schema.Find(word).AsDouble();
    };
    const double step = bound("multipleOf").value_or(integer ? 1 : 0);
    double low = bound("minimum").value_or(-1e15);
    double high = bound("maximum").value_or(1e15);
    const double nudge = integer ? 1 : std::max(step, 1e-3);
    if (auto open = bound("exclusiveMinimum"))
      low = std::max(low, *open + nudge);
    if (auto open = bound("exclusiveMaximum")) {
      high = std::min(high, *open - nudge);
    }
    const bool share = absl::StrContains(ToAbsl(name), "confidence") ||
                       absl::StrContains(ToAbsl(name), "score") ||
                       absl::StrContains(ToAbsl(name), "ratio");
    double value =
        share && !integer ? 0.7 : 10.0 + static_cast<double>(seed_ % 20);
    if (value < low || value > high) {
      value = low > -1e15 ? low : high;
      if (low > -1e15 && high < 1e15 && high - low < 1 && !integer) {
        value = (low + high) / 2;
      }
    }
    if (integer) value = value < low + 1 ? std::ceil(value) : std::floor(value);
    if (step > 0) {
      value = std::ceil(value / step) * step;
      if (value > high) value = std::floor(high / step) * step;
    }
    std::string out;
    if (integer) {
      // A bound may be beyond what an integer holds.
      JsonWriter(&out).Int(
          static_cast<int64_t>(std::clamp(value, -9.2e18, 9.2e18)));
    } else {
      JsonWriter(&out).Double(value);
    }
    return out;
  }

  std::string SampleString(JsonValue schema, std::string_view name) {
    if (const JsonValue pattern = schema.Find("pattern")) {
      std::string match = SamplePattern(pattern.StringOr(), seed_, budget_);
      if (!match.empty()) return match;
    }
    std::string text = Formatted(schema.Find("format").StringOr());
    if (text.empty()) text = Named(absl::AsciiStrToLower(ToAbsl(name)));
    // Limits count code points.
    const auto least = schema.Find("minLength").AsInt64().value_or(0);
    const auto most = schema.Find("maxLength").AsInt64();
    if (most.has_value() && static_cast<int64_t>(CodePoints(text)) > *most) {
      text = std::string("simulated")
                 .substr(0, static_cast<size_t>(std::max<int64_t>(*most, 0)));
    }
    const auto wanted =
        static_cast<size_t>(std::clamp<int64_t>(least, 0, kMaxPadding));
    const size_t have = CodePoints(text);
    if (have < wanted) text.append(wanted - have, 'x');
    return text;
  }

  std::string Formatted(std::string_view format) const {
    if (format == "date") return facts_.date;
    if (format == "date-time") return facts_.date + "T09:30:00Z";
    if (format == "time") return "09:30:00Z";
    if (format == "duration") return "P1D";
    if (format == "email") return "analyst@example.com";
    if (format == "hostname") return "example.com";
    if (format == "uri" || format == "url") return "https://example.com/";
    if (format == "ipv4") return "192.0.2.1";
    if (format == "ipv6") return "2001:db8::1";
    if (format == "uuid") return "01890a5d-ac96-774b-bcce-b302099a8057";
    return {};
  }

  // What the argument's name asks for, with facts from the prompt.
  std::string Named(absl::string_view name) const {
    if (absl::StrContains(name, "date") || absl::StrContains(name, "day")) {
      return facts_.date;
    }
    for (const char* word : {"symbol", "ticker", "stock", "code", "company"}) {
      if (absl::StrContains(name, word)) return facts_.symbol;
    }
    if (absl::StrContains(name, "indicator")) return "macd";
    if (absl::StrContains(name, "freq")) return "annual";
    if (!facts_.quoted.empty()) return facts_.quoted;
    if (facts_.chinese) return "模拟回答";
    return "simulated";
  }

  JsonValue root_;
  const PromptFacts& facts_;
  uint64_t seed_;
  SampleBudget& budget_;
};

}  // namespace

std::string SampleJson(std::string_view schema_json, const PromptFacts& facts,
                       uint64_t seed, SampleBudget& budget) {
  if (budget.spent()) return "null";
  budget.Look(schema_json.size() / kParsedPerStep);
  const absl::StatusOr<JsonDocument> schema = JsonDocument::Parse(schema_json);
  if (!schema.ok()) return "{}";
  return SchemaSampler(schema->root(), facts, seed, budget)
      .Sample(schema->root(), "", 0);
}

}  // namespace llm
