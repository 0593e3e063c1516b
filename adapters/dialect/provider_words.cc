#include "adapters/dialect/provider_words.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "adapters/core/text.h"
#include "adapters/dialect/mask_key.h"

namespace llm {
namespace {

constexpr size_t kMaxWord = 64;
constexpr size_t kMaxUsage = 4096;

bool IsWord(std::string_view text, size_t limit) {
  return text.size() <= limit &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return c > ' ' && c <= '~' && c != '"' && c != '\'' && c != '\\';
         });
}

bool IsPlain(JsonValue value) {
  if (value.is_string()) return IsWord(value.StringOr(), kMaxWord);
  for (JsonValue v = value.First(); v; v = v.Next()) {
    if (!IsWord(v.Key(), kMaxWord) || !IsPlain(v)) return false;
  }
  return true;
}

void Hide(const ApiKey& key, std::initializer_list<std::string*> texts) {
  for (std::string* text : texts) MaskKey(key, text);
}

}  // namespace

std::string OneWord(std::string_view text, size_t limit) {
  return IsWord(text, limit) ? std::string(text) : std::string();
}

std::string AuditedUsage(JsonValue usage) {
  if (usage.raw().size() > kMaxUsage) return {};
  if (IsPlain(usage)) return std::string(usage.raw());
  std::string out;
  JsonWriter writer(&out);
  writer.BeginObject();
  for (JsonValue v = usage.First(); v; v = v.Next()) {
    if (IsWord(v.Key(), kMaxWord) && IsPlain(v)) {
      writer.MemberRaw(v.Key(), v.raw());
    }
  }
  writer.EndObject();
  return out;
}

void HideKey(const ApiKey& key, AttemptResult* result) {
  if (key.empty()) return;
  UpstreamFailure& failure = result->failure;
  for (std::string* cut : {&failure.message, &failure.code, &failure.type,
                           &failure.param, &failure.provider_request_id}) {
    MaskCutKey(key, cut);
  }
  const std::string said(result->status.message());
  Hide(key, {&result->provider_request_id, &result->served_model.value,
             &result->raw_usage_json, &result->usage.service_tier});
  std::string clean = said;
  MaskCutKey(key, &clean);
  if (clean != said) {
    result->status = absl::Status(result->status.code(), clean);
  }
}

Task<absl::Status> KeyHidingSink::Write(v1::ChatCompletionChunk&& chunk) {
  if (!key_.empty()) HideBeside(&chunk);
  return sink_.Write(std::move(chunk));
}

void KeyHidingSink::HideBeside(v1::ChatCompletionChunk* chunk) const {
  // Only where there is a text: one asked for to be changed would be made.
  if (!chunk->service_tier().empty()) {
    MaskKey(key_, chunk->mutable_service_tier());
  }
  if (!chunk->system_fingerprint().empty()) {
    MaskKey(key_, chunk->mutable_system_fingerprint());
  }
  if (!chunk->extra_json().empty()) MaskKey(key_, chunk->mutable_extra_json());
  for (v1::ChunkChoice& choice : *chunk->mutable_choices()) {
    if (!choice.native_finish_reason().empty()) {
      MaskKey(key_, choice.mutable_native_finish_reason());
    }
    if (!choice.extra_json().empty()) {
      MaskKey(key_, choice.mutable_extra_json());
    }
    if (!choice.delta().extra_json().empty()) {
      MaskKey(key_, choice.mutable_delta()->mutable_extra_json());
    }
  }
}

}  // namespace llm
