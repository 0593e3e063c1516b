#include "adapters/openai/openai_embedder.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "adapters/core/json.h"
#include "adapters/dialect/dropped_fields.h"
#include "adapters/dialect/provider_words.h"
#include "adapters/openai/usage_decoder.h"

namespace llm::openai {
namespace {

// The wire's float32 are little-endian, and so are the machines we build for.
static_assert(std::endian::native == std::endian::little);

std::optional<std::vector<float>> FromBase64(const std::string& text) {
  std::string bytes;
  if (!absl::Base64Unescape(text, &bytes)) return std::nullopt;
  if (bytes.empty() || bytes.size() % sizeof(float) != 0) return std::nullopt;
  std::vector<float> vector(bytes.size() / sizeof(float));
  std::memcpy(vector.data(), bytes.data(), bytes.size());
  return vector;
}

void WriteInputs(const EmbedRequest& request, EmbedBatch batch,
                 JsonWriter& json) {
  json.Key("input");
  json.BeginArray();
  for (size_t i = batch.first; i < batch.first + batch.count; ++i) {
    const int at = static_cast<int>(i);
    if (!request.input().empty()) {
      json.String(request.input(at));
      continue;
    }
    json.BeginArray();
    for (const int32_t token : request.token_inputs(at).tokens()) {
      json.Int(token);
    }
    json.EndArray();
  }
  json.EndArray();
}

std::vector<std::string> MembersOf(const std::string& object) {
  std::vector<std::string> names;
  const auto document = JsonDocument::Parse(object);
  if (!document.ok()) return names;
  for (JsonValue v = document->root().First(); v; v = v.Next()) {
    names.push_back(v.Key());
  }
  return names;
}

}  // namespace

std::optional<std::vector<float>> ReadVector(JsonValue embedding) {
  if (embedding.is_string()) return FromBase64(embedding.StringOr());
  if (!embedding.is_array()) return std::nullopt;
  std::vector<float> vector;
  vector.reserve(embedding.size());
  for (JsonValue v = embedding.First(); v; v = v.Next()) {
    const auto number = v.AsDouble();
    if (!number) return std::nullopt;
    vector.push_back(static_cast<float>(*number));
  }
  return vector;
}

std::vector<std::string> OpenAiEmbedder::Dropped(
    const EmbedRequest& request) const {
  DroppedFields dropped;
  if (!rules_.user && !request.user().empty()) dropped.Add("user");
  if (!rules_.extra_fields) {
    for (const std::string& name : MembersOf(request.extra_json())) {
      dropped.Add(name);
    }
  }
  return dropped.Take();
}

std::optional<Refusal> OpenAiEmbedder::Refuses(
    const EmbedRequest& request) const {
  if (rules_.token_inputs || request.token_inputs().empty()) return {};
  return Refusal{"input",
                 "this provider takes texts and no token numbers (LangChain: "
                 "check_embedding_ctx_length=False)"};
}

HttpRequest OpenAiEmbedder::Render(const EmbedRequest& request,
                                   EmbedBatch batch) const {
  HttpRequest http = http_;
  JsonWriter json(&http.body);
  json.BeginObject();
  json.Member("model", model_);
  WriteInputs(request, batch, json);
  if (rules_.format != VectorFormat::kUnsaid) {
    json.Member("encoding_format",
                rules_.format == VectorFormat::kBase64 ? "base64" : "float");
  }
  if (request.has_dimensions()) {
    json.MemberInt(rules_.dimensions, request.dimensions());
  }
  if (rules_.user && !request.user().empty()) {
    json.Member("user", request.user());
  }
  if (rules_.extra_fields && !request.extra_json().empty()) {
    json.RawMembers(request.extra_json());
  }
  json.EndObject();
  return http;
}

bool OpenAiEmbedder::Decode(JsonValue body, size_t count, EmbedAnswer* out) {
  const JsonValue usage = body.Find("usage");
  out->usage = DecodeUsage(usage);
  out->raw_usage_json = AuditedUsage(usage);
  out->served_model = body.Find("model").StringOr();
  out->answer_id = body.Find("id").StringOr();
  const JsonValue data = body.Find("data");
  if (!data.is_array() || data.size() != count) return false;
  out->vectors.assign(count, {});
  size_t position = 0;
  for (JsonValue one = data.First(); one; one = one.Next(), ++position) {
    // Some servers number from zero in every answer, some not at all.
    const JsonValue index = one.Find("index");
    const auto at =
        index.has_value() ? index.AsInt64() : static_cast<int64_t>(position);
    if (!at || *at < 0 || static_cast<size_t>(*at) >= count) return false;
    std::vector<float>& place = out->vectors[static_cast<size_t>(*at)];
    auto vector = ReadVector(one.Find("embedding"));
    if (!vector || !place.empty()) return false;
    place = *std::move(vector);
  }
  return true;
}

}  // namespace llm::openai
