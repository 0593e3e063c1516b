#include "adapters/anthropic/usage_decoder.h"

#include <algorithm>

#include "adapters/dialect/provider_words.h"

namespace llm::anthropic {
namespace {

using Count = std::optional<TokenCount>;

// Beyond any context window; keeps sums far from overflow.
// A record has a dozen short members; what is beyond is not read, since each
// event may bring it again.
constexpr size_t kMaxMembers = 48;
constexpr size_t kMaxMember = 8192;
// But for the rounds: compaction is billed by them alone.
constexpr size_t kMaxRounds = 65536;
constexpr TokenCount kSane = TokenCount{1} << 50;
constexpr size_t kMaxTier = 64;
// More rounds than any server has, so that their sum stays sane.
constexpr int kMaxIterations = 256;

Count Read(JsonValue value) {
  const auto number = value.AsInt64();
  if (!number || *number < 0 || *number > kSane) return std::nullopt;
  return *number;
}

void Add(Count more, Count* to) {
  if (more) *to = to->value_or(0) + *more;
}

void AddCacheWrites(JsonValue record, TokenUsage* out) {
  const JsonValue by_age = record.Find("cache_creation");
  const Count hour = Read(by_age.Find("ephemeral_1h_input_tokens"));
  const Count minutes = Read(by_age.Find("ephemeral_5m_input_tokens"));
  Count all = Read(record.Find("cache_creation_input_tokens"));
  if (!all && (hour || minutes)) all = hour.value_or(0) + minutes.value_or(0);
  if (!all) return;
  const TokenCount long_lived = std::min(hour.value_or(0), *all);
  if (hour) Add(long_lived, &out->cache_write_1h);
  Add(*all - long_lived, &out->cache_write_5m);
}

void AddRecord(JsonValue record, TokenUsage* out) {
  Add(Read(record.Find("input_tokens")), &out->fresh_input);
  Add(Read(record.Find("cache_read_input_tokens")), &out->cache_read);
  AddCacheWrites(record, out);
  const Count output = Read(record.Find("output_tokens"));
  Add(output, &out->output);
  const Count thought =
      Read(record.Find("output_tokens_details").Find("thinking_tokens"));
  if (thought && output) Add(std::min(*thought, *output), &out->reasoning);
}

}  // namespace

void UsageDecoder::ReadTier(JsonValue usage) {
  const JsonValue said = usage.Find("service_tier");
  const JsonValue speed = usage.Find("speed");
  if (said.has_value()) tier_ = OneWord(said.StringOr(), kMaxTier);
  if (tier_ == "standard") tier_.clear();
  if (speed.has_value()) fast_ = speed.Equals("fast");
}

bool UsageDecoder::Push(JsonValue usage) {
  bool changed = false;
  if (!usage.is_object()) return changed;
  ReadTier(usage);
  for (JsonValue v = usage.First(); v; v = v.Next()) {
    const std::string key = v.Key();
    const size_t limit = key == "iterations" ? kMaxRounds : kMaxMember;
    if (v.is_null() || v.raw().size() > limit) continue;
    const auto known =
        std::find_if(members_.begin(), members_.end(),
                     [&](const auto& member) { return member.first == key; });
    if (known != members_.end()) {
      changed = changed || known->second != v.raw();
      known->second = std::string(v.raw());
    } else if (members_.size() < kMaxMembers) {
      changed = true;
      members_.emplace_back(key, std::string(v.raw()));
    }
  }
  return changed;
}

std::string UsageDecoder::raw_json() const {
  if (members_.empty()) return {};
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  for (const auto& [key, value] : members_) json.MemberRaw(key, value);
  json.EndObject();
  const auto doc = JsonDocument::Parse(std::string_view(text));
  return doc.ok() ? AuditedUsage(doc->root()) : std::string();
}

std::optional<TokenUsage> UsageDecoder::usage() const {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  for (const auto& [key, value] : members_) json.MemberRaw(key, value);
  json.EndObject();
  const auto doc = JsonDocument::Parse(std::string_view(text));
  if (!doc.ok()) return std::nullopt;
  const JsonValue root = doc->root();
  TokenUsage out;
  AddRecord(root, &out);
  int round = 0;
  const JsonValue iterations = root.Find("iterations");
  for (JsonValue v = iterations.is_array() ? iterations.First() : JsonValue();
       v && round < kMaxIterations; v = v.Next(), ++round) {
    if (v.Find("type").Equals("compaction")) AddRecord(v, &out);
  }
  if (out.empty()) return std::nullopt;
  const Count searches =
      Read(root.Find("server_tool_use").Find("web_search_requests"));
  if (searches.value_or(0) > 0) out.web_searches = searches;
  if (root.Find("inference_geo").Equals("us")) out.geo = "us";
  out.service_tier = service_tier();
  return out;
}

}  // namespace llm::anthropic
