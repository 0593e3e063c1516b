#include "adapters/anthropic/request_fields.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "adapters/anthropic/content_writer.h"
#include "adapters/core/text.h"

namespace llm::anthropic {
namespace {

using sv = std::string_view;
using Request = v1::ChatCompletionRequest;

// Sent as they are. `thinking`, `output_config`, `top_k`, `cache_control` and
// the betas have their own places. Not `fallbacks`: it names models that the
// caller's key was not asked for [SEC-2].
constexpr sv kNative[] = {"container", "inference_geo", "mcp_servers",
                          "context_management", "speed"};
constexpr sv kElsewhere[] = {"thinking", "output_config",  "top_k",
                             "betas",    "anthropic_beta", "cache_control"};
// Ours: never sent to anybody.
constexpr sv kOwn[] = {"task_type", "run_id",      "agent",    "strict",
                       "timeout",   "llm_service", "priority", "stream"};

// A beta's name goes into a header.
bool IsBetaName(sv name) {
  return !name.empty() && name.size() <= 64 &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '-' || c == '.' || c == '_';
         });
}

void AddBetas(JsonValue value, std::vector<std::string>* out) {
  if (value.is_array()) {
    for (JsonValue v = value.First(); v; v = v.Next()) AddBetas(v, out);
    return;
  }
  for (const absl::string_view piece :
       absl::StrSplit(value.StringOr(), ',', absl::SkipWhitespace())) {
    const std::string name(absl::StripAsciiWhitespace(piece));
    const bool known = std::find(out->begin(), out->end(), name) != out->end();
    if (IsBetaName(name) && !known) out->push_back(name);
  }
}

}  // namespace

std::vector<std::string> BetasOf(JsonValue extra) {
  std::vector<std::string> out;
  AddBetas(extra.Find("betas"), &out);
  AddBetas(extra.Find("anthropic_beta"), &out);
  return out;
}

void FieldWriter::WriteSampling(const Request& request, JsonValue extra) {
  const JsonValue top_k = extra.Find("top_k");
  const bool refused = setting_.traits.refuses_sampling.value_or(
      setting_.model.refuses_sampling);
  // Beside thinking only the usual temperature, no top_k, and a top_p near 1
  // are taken.
  const bool thinking = setting_.thinking;
  bool temperature_sent = false;
  if (request.has_temperature()) {
    const double asked = request.temperature();
    const bool usual = asked == 1;
    if (refused || thinking) {
      if (!usual) notes_.dropped.Add("temperature");
    } else {
      const double sent = std::clamp(asked, 0.0, 1.0);
      if (sent != asked) notes_.dropped.Add("temperature");
      out_.Key("temperature");
      out_.Double(sent);
      temperature_sent = true;
    }
  }
  if (request.has_top_p()) {
    const bool odd = thinking && request.top_p() < 0.95;
    const bool second = temperature_sent && setting_.model.one_sampling_knob;
    if (refused || odd || second) {
      if (request.top_p() != 1) notes_.dropped.Add("top_p");
    } else {
      out_.Key("top_p");
      out_.Double(request.top_p());
    }
  }
  if (top_k.has_value()) {
    if (refused || thinking) {
      notes_.dropped.Add("top_k");
    } else {
      out_.MemberRaw("top_k", top_k.raw());
    }
  }
}

void FieldWriter::WriteStop(const Request& request) {
  std::vector<sv> kept;
  for (const std::string& stop : request.stop()) {
    if (IsBlank(stop)) {
      notes_.dropped.Add("stop");
    } else {
      kept.push_back(stop);
    }
  }
  if (kept.empty()) return;
  out_.Key("stop_sequences");
  out_.BeginArray();
  for (const sv stop : kept) out_.String(stop);
  out_.EndArray();
}

void FieldWriter::WriteUser(const Request& request) {
  std::string user = request.safety_identifier();
  if (user.empty()) user = request.user();
  if (user.empty()) {
    // Anthropic's own spelling, which the door takes for OpenAI's metadata.
    const auto own = request.metadata().find("user_id");
    if (own != request.metadata().end()) user = own->second;
  }
  if (user.empty()) return;
  out_.Key("metadata");
  out_.BeginObject();
  out_.Member("user_id", user);
  out_.EndObject();
}

void FieldWriter::WriteTier(const Request& request) {
  const std::string& tier = request.service_tier();
  if (tier == "auto" || tier == "standard_only") {
    out_.Member("service_tier", tier);
  } else if (tier == "default") {
    out_.Member("service_tier", "standard_only");
  } else if (!tier.empty()) {
    notes_.dropped.Add("service_tier");
  }
}

void FieldWriter::WriteFields(const Request& request, JsonValue extra) {
  WriteSampling(request, extra);
  WriteStop(request);
  WriteUser(request);
  WriteTier(request);
}

void FieldWriter::WriteExtras(JsonValue extra) {
  for (JsonValue v = extra.First(); v; v = v.Next()) {
    const std::string name = v.Key();
    const bool ours = Among(kOwn, name) || name.starts_with("x-") ||
                      name.starts_with("x_llm_");
    if (v.is_null() || ours || Among(kElsewhere, name)) continue;
    if (Among(kNative, name)) {
      out_.MemberRaw(name, v.raw());
    } else {
      notes_.dropped.Add(name);
    }
  }
}

void FieldWriter::NameUnsupported(const Request& r) {
  const std::pair<sv, bool> dropped[] = {
      {"frequency_penalty", r.frequency_penalty() != 0},
      {"presence_penalty", r.presence_penalty() != 0},
      {"logit_bias", !r.logit_bias().empty()},
      {"logprobs", r.logprobs()},
      {"top_logprobs", r.top_logprobs() != 0},
      {"seed", r.has_seed()},
      {"verbosity", r.has_verbosity() && r.verbosity() != "medium"},
      {"prediction", r.has_prediction()},
      {"store", r.store()},
      {"prompt_cache_key", r.has_prompt_cache_key()},
      {"prompt_cache_retention", r.has_prompt_cache_retention()},
      {"prompt_cache_options", !r.prompt_cache_options().empty()},
      {"web_search_options", !r.web_search_options().empty()},
      {"moderation", !r.moderation().empty()}};
  for (const auto& [name, said] : dropped) {
    if (said) notes_.dropped.Add(name);
  }
  bool audio = r.has_audio();
  for (const std::string& modality : r.modalities()) {
    audio = audio || modality == "audio";
    if (modality != "text") notes_.dropped.Add("modalities");
  }
  if (r.n() > 1) notes_.Refuse("n", "Claude gives one answer per request");
  if (audio) {
    notes_.Refuse("modalities", "Claude answers with text only");
  }
  if (!r.functions().empty() || !r.function_call().empty()) {
    notes_.Refuse("functions", "functions are not taken; use tools");
  }
}

}  // namespace llm::anthropic
