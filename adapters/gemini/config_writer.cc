#include "adapters/gemini/config_writer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "adapters/core/json.h"
#include "adapters/gemini/json_schema_writer.h"
#include "adapters/gemini/openapi_schema_writer.h"

namespace llm::gemini {
namespace {

using sv = std::string_view;

constexpr int kMaxStops = 5;

std::string Number(double value) {
  std::string out;
  JsonWriter(&out).Double(value);
  return out;
}

class Config {
 public:
  Config(const v1::ChatCompletionRequest& request, const NativeFields& native,
         Rendering& to)
      : request_(request), native_(native), to_(to), out_(&text_) {}

  std::string Write(const ThinkingPlan& thinking);

 private:
  // `field` is what the caller calls it.
  void Set(sv field, sv name, const std::string& json);
  void Cap(const ThinkingPlan& thinking);
  void Sampling();
  void Penalty(sv name, bool has, double value, sv member);
  void Logprobs();
  void Stops();
  void Seed();
  void Format();
  void Schema();
  void Modalities();
  void Voice();

  const v1::ChatCompletionRequest& request_;
  const NativeFields& native_;
  Rendering& to_;
  std::string text_;
  JsonWriter out_;
  bool any_ = false;
};

void Config::Set(sv field, sv name, const std::string& json) {
  if (const std::string* own = native_.Generation(name)) {
    if (*own != json) to_.dropped.Add(field);
    return;
  }
  out_.MemberRaw(name, json);
  any_ = true;
}

// maxOutputTokens is over thoughts and answer together, as
// `max_completion_tokens` is; see dialect/reasoning_headroom.h.
void Config::Cap(const ThinkingPlan& thinking) {
  const bool newer = request_.has_max_completion_tokens();
  if (!newer && !request_.has_max_tokens()) return;
  const int64_t asked =
      newer ? request_.max_completion_tokens() : request_.max_tokens();
  int64_t limit = to_.context.traits.max_output_tokens;
  if (limit <= 0) limit = to_.family.output_limit;
  const sv field = newer ? "max_completion_tokens" : "max_tokens";
  // More than the model can say is refused.
  if (limit > 0 && asked > limit) {
    to_.dropped.Add(field);
    return Set(field, "maxOutputTokens", std::to_string(limit));
  }
  int64_t cap = asked;
  // A number without sense is the provider's to refuse.
  if (!newer && thinking.thinking && asked > 0 &&
      asked < std::numeric_limits<int32_t>::max()) {
    cap += thinking.headroom;
    if (limit > 0) cap = std::max(asked, std::min(cap, limit));
  }
  Set(field, "maxOutputTokens", std::to_string(cap));
}

void Config::Penalty(sv name, bool has, double value, sv member) {
  if (!has) return;
  if (to_.family.refuses_penalties ||
      to_.context.traits.refuses_sampling.value_or(false)) {
    if (value != 0) to_.dropped.Add(name);
    return;
  }
  Set(name, member, Number(value));
}

void Config::Sampling() {
  const bool refused = to_.context.traits.refuses_sampling.value_or(false);
  if (request_.has_temperature()) {
    if (refused) {
      to_.dropped.Add("temperature");
    } else {
      Set("temperature", "temperature", Number(request_.temperature()));
    }
  }
  if (request_.has_top_p()) {
    if (refused) {
      to_.dropped.Add("top_p");
    } else {
      Set("top_p", "topP", Number(request_.top_p()));
    }
  }
  Penalty("frequency_penalty", request_.has_frequency_penalty(),
          request_.frequency_penalty(), "frequencyPenalty");
  Penalty("presence_penalty", request_.has_presence_penalty(),
          request_.presence_penalty(), "presencePenalty");
}

void Config::Logprobs() {
  const bool refused = to_.context.traits.refuses_sampling.value_or(false);
  if (request_.logprobs()) {
    if (refused) return to_.dropped.Add("logprobs");
    Set("logprobs", "responseLogprobs", "true");
  }
  if (request_.top_logprobs() == 0) return;
  if (refused || !request_.logprobs()) return to_.dropped.Add("top_logprobs");
  Set("top_logprobs", "logprobs", std::to_string(request_.top_logprobs()));
}

void Config::Stops() {
  if (request_.stop_size() == 0) return;
  std::string list;
  JsonWriter writer(&list);
  writer.BeginArray();
  int sent = 0;
  for (const std::string& stop : request_.stop()) {
    // Nothing stands everywhere; it is refused.
    if (stop.empty() || sent == kMaxStops) {
      to_.dropped.Add("stop");
      continue;
    }
    writer.String(stop);
    ++sent;
  }
  writer.EndArray();
  if (sent > 0) Set("stop", "stopSequences", list);
}

void Config::Seed() {
  if (!request_.has_seed()) return;
  const int64_t seed = request_.seed();
  // An int32 there.
  if (seed < std::numeric_limits<int32_t>::min() ||
      seed > std::numeric_limits<int32_t>::max()) {
    return to_.dropped.Add("seed");
  }
  Set("seed", "seed", std::to_string(seed));
}

// Before the third generation an answer in JSON and tools exclude each other.
bool MeetsTools(const v1::ChatCompletionRequest& request, const Rendering& to) {
  return request.tools_size() > 0 && !to.family.third_generation;
}

bool ToldInWords(const v1::ChatCompletionRequest& request,
                 const Rendering& to) {
  return request.response_format().type() == "json_schema" &&
         (!to.context.traits.json_schema || MeetsTools(request, to));
}

void Config::Schema() {
  const v1::JsonSchemaFormat& format = request_.response_format().json_schema();
  if (native_.Generation("responseSchema") != nullptr ||
      native_.Generation("responseJsonSchema") != nullptr) {
    return to_.dropped.Add("response_format.json_schema");
  }
  SchemaLosses losses("response_format.json_schema.schema", to_.dropped);
  const std::string schema =
      to_.family.json_schema
          ? WriteJsonSchema(format.schema(), format.description(), losses)
          : WriteOpenApiSchema(format.schema(), format.description(), losses);
  if (schema.empty()) return;
  Set("response_format.json_schema",
      to_.family.json_schema ? "responseJsonSchema" : "responseSchema", schema);
}

void Config::Format() {
  if (!request_.has_response_format()) return;
  const std::string& type = request_.response_format().type();
  if (type == "text" || type.empty()) return;
  if (type != "json_object" && type != "json_schema") {
    return to_.dropped.Add("response_format");
  }
  // Google's newer word for all of it; both are refused.
  if (native_.Generation("responseFormat") != nullptr) {
    return to_.dropped.Add("response_format");
  }
  const bool in_words = ToldInWords(request_, to_);
  if (in_words) to_.dropped.Add("response_format.json_schema");
  if (MeetsTools(request_, to_) ||
      (type == "json_object" && !to_.context.traits.json_object)) {
    if (!in_words) to_.dropped.Add("response_format");
    return;
  }
  Set("response_format", "responseMimeType", "\"application/json\"");
  if (type == "json_schema" && !in_words) Schema();
}

void Config::Voice() {
  if (!request_.has_audio()) return;
  std::string voice = "{\"voiceConfig\":{\"prebuiltVoiceConfig\":{";
  const auto doc = JsonDocument::Parse(request_.audio().voice());
  if (doc.ok() && doc->root().is_string()) {
    voice += "\"voiceName\":" + std::string(doc->root().raw());
  } else if (!request_.audio().voice().empty()) {
    to_.dropped.Add("audio.voice");
  }
  Set("audio.voice", "speechConfig", voice + "}}}");
  // Samples without a header come back, whatever is asked.
  const std::string& format = request_.audio().format();
  if (!format.empty() && format != "pcm16") to_.dropped.Add("audio.format");
}

void Config::Modalities() {
  bool text = false;
  bool image = false;
  bool audio = request_.has_audio();
  for (const std::string& name : request_.modalities()) {
    text = text || name == "text";
    image = image || name == "image";
    audio = audio || name == "audio";
  }
  if (audio) {
    if (!to_.family.speaks) {
      return to_.Refuse(request_.has_audio() ? "audio" : "modalities",
                        "the model does not answer in audio");
    }
    Set("modalities", "responseModalities", "[\"AUDIO\"]");
    return Voice();
  }
  if (image) {
    Set("modalities", "responseModalities",
        text || request_.modalities_size() == 1 ? "[\"TEXT\",\"IMAGE\"]"
                                                : "[\"IMAGE\"]");
  }
}

std::string Config::Write(const ThinkingPlan& thinking) {
  out_.BeginObject();
  Cap(thinking);
  Sampling();
  if (request_.has_n() && request_.n() != 1) {
    Set("n", "candidateCount", std::to_string(request_.n()));
  }
  Stops();
  Seed();
  Logprobs();
  Format();
  Modalities();
  if (!thinking.config.empty()) {
    out_.MemberRaw("thinkingConfig", thinking.config);
    any_ = true;
  }
  for (const NativeField& field : native_.generation) {
    out_.MemberRaw(field.name, field.value);
    any_ = true;
  }
  out_.EndObject();
  return any_ ? std::move(text_) : std::string();
}

}  // namespace

std::string GenerationConfig(const v1::ChatCompletionRequest& request,
                             const NativeFields& native,
                             const ThinkingPlan& thinking, Rendering& to) {
  return Config(request, native, to).Write(thinking);
}

bool AnswersInJson(const v1::ChatCompletionRequest& request,
                   const NativeFields& native, const Rendering& to) {
  if (const std::string* own = native.Generation("responseMimeType")) {
    return *own != "\"text/plain\"";
  }
  if (const std::string* own = native.Generation("responseFormat")) {
    const auto doc = JsonDocument::Parse(sv(*own));
    const JsonValue text = doc.ok() ? doc->root().Find("text") : JsonValue();
    return text.Find("mimeType").StringOr() != "text/plain";
  }
  const std::string& type = request.response_format().type();
  return !MeetsTools(request, to) &&
         (type == "json_schema" ||
          (type == "json_object" && to.context.traits.json_object));
}

std::string SchemaInstruction(const v1::ChatCompletionRequest& request,
                              const NativeFields& native, const Rendering& to) {
  if (!ToldInWords(request, to) ||
      native.Generation("responseFormat") != nullptr) {
    return {};
  }
  const v1::JsonSchemaFormat& format = request.response_format().json_schema();
  std::string out =
      "Answer with one JSON object and nothing else, no code fence. It must "
      "conform to this JSON schema";
  if (!format.name().empty()) out += " (" + format.name() + ")";
  return out + ":\n" + format.schema();
}

std::string ServiceTier(const v1::ChatCompletionRequest& request,
                        Rendering& to) {
  const std::string& tier = request.service_tier();
  if (tier.empty() || tier == "auto" || tier == "default") return {};
  // Vertex has its tiers in headers.
  if (!to.vertex && (tier == "flex" || tier == "priority")) return tier;
  to.dropped.Add("service_tier");
  return {};
}

void NameUnsaid(const v1::ChatCompletionRequest& request, Rendering& to) {
  const auto name = [&to](sv field, bool set) {
    if (set) to.dropped.Add(field);
  };
  name("logit_bias", !request.logit_bias().empty());
  name("verbosity",
       !request.verbosity().empty() && request.verbosity() != "medium");
  name("prediction", request.has_prediction());
  name("store", request.store());
  name("safety_identifier", request.has_safety_identifier());
  name("prompt_cache_key", request.has_prompt_cache_key());
  name("prompt_cache_retention", request.has_prompt_cache_retention());
  name("prompt_cache_options", !request.prompt_cache_options().empty());
  name("web_search_options", !request.web_search_options().empty());
  name("moderation", !request.moderation().empty());
  if (!request.functions().empty()) {
    to.Refuse("functions", "the old form of tools is not taken: use tools");
  } else {
    name("function_call", !request.function_call().empty());
  }
}

}  // namespace llm::gemini
