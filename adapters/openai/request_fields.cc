#include "adapters/openai/request_fields.h"

#include <algorithm>
#include <map>

#include "adapters/core/json.h"

namespace llm::openai {
namespace {

using Request = v1::ChatCompletionRequest;

std::string Number(double value) {
  std::string out;
  JsonWriter(&out).Double(value);
  return out;
}

std::string Bool(bool value) { return value ? "true" : "false"; }

template <typename List>
std::string Strings(const List& list) {
  std::string out;
  if (list.empty()) return out;
  JsonWriter writer(&out);
  writer.BeginArray();
  for (const std::string& text : list) writer.String(text);
  writer.EndArray();
  return out;
}

// Maps have no order of their own; the bytes must.
std::string LogitBias(const Request& r) {
  std::string out;
  if (r.logit_bias().empty()) return out;
  const std::map<std::string, double> sorted(r.logit_bias().begin(),
                                             r.logit_bias().end());
  JsonWriter writer(&out);
  writer.BeginObject();
  for (const auto& [token, bias] : sorted) {
    writer.Key(token);
    writer.Double(bias);
  }
  writer.EndObject();
  return out;
}

std::string Metadata(const Request& r) {
  std::string out;
  if (r.metadata().empty()) return out;
  const std::map<std::string, std::string> sorted(r.metadata().begin(),
                                                  r.metadata().end());
  JsonWriter writer(&out);
  writer.BeginObject();
  for (const auto& [key, value] : sorted) writer.Member(key, value);
  writer.EndObject();
  return out;
}

std::string Audio(const Request& r) {
  std::string out;
  if (!r.has_audio()) return out;
  JsonWriter writer(&out);
  writer.BeginObject();
  if (!r.audio().voice().empty()) {
    writer.MemberRaw("voice", r.audio().voice());
  }
  if (!r.audio().format().empty()) writer.Member("format", r.audio().format());
  writer.EndObject();
  return out;
}

std::string Predicted(const Request& r) {
  std::string out;
  if (!r.has_prediction()) return out;
  JsonWriter writer(&out);
  writer.BeginObject();
  writer.Member("type", r.prediction().type());
  if (!r.prediction().content().empty()) {
    writer.MemberRaw("content", r.prediction().content());
  }
  writer.EndObject();
  return out;
}

template <auto kHas, auto kGet>
std::string OptNumber(const Request& r) {
  return (r.*kHas)() ? Number(static_cast<double>((r.*kGet)())) : "";
}
template <auto kHas, auto kGet>
std::string OptInt(const Request& r) {
  return (r.*kHas)() ? std::to_string((r.*kGet)()) : "";
}
template <auto kHas, auto kGet>
std::string OptBool(const Request& r) {
  return (r.*kHas)() ? Bool((r.*kGet)()) : "";
}
template <auto kHas, auto kGet>
std::string OptText(const Request& r) {
  return (r.*kHas)() ? JsonQuote((r.*kGet)()) : "";
}
template <auto kGet>
std::string Raw(const Request& r) {
  return (r.*kGet)();
}

constexpr RequestField kFields[] = {
    {"temperature",
     OptNumber<&Request::has_temperature, &Request::temperature>,
     {},
     true},
    {"top_p", OptNumber<&Request::has_top_p, &Request::top_p>, {}, true},
    {"frequency_penalty",
     OptNumber<&Request::has_frequency_penalty, &Request::frequency_penalty>,
     "0", true},
    {"presence_penalty",
     OptNumber<&Request::has_presence_penalty, &Request::presence_penalty>, "0",
     true},
    {"logit_bias", LogitBias, "{}", true},
    {"logprobs", OptBool<&Request::has_logprobs, &Request::logprobs>, "false",
     true},
    {"top_logprobs", OptInt<&Request::has_top_logprobs, &Request::top_logprobs>,
     "0", true},
    {"n", OptInt<&Request::has_n, &Request::n>, "1"},
    {"seed", OptInt<&Request::has_seed, &Request::seed>},
    {"stop", [](const Request& r) { return Strings(r.stop()); }},
    {"verbosity", OptText<&Request::has_verbosity, &Request::verbosity>,
     "\"medium\""},
    {"modalities", [](const Request& r) { return Strings(r.modalities()); },
     "[\"text\"]"},
    {"audio", Audio},
    {"prediction", Predicted},
    {"service_tier",
     OptText<&Request::has_service_tier, &Request::service_tier>, "\"auto\""},
    {"store", OptBool<&Request::has_store, &Request::store>, "false"},
    {"metadata", Metadata, {}, false, true},
    {"user",
     [](const Request& r) {
       return r.user().empty() ? std::string() : JsonQuote(r.user());
     },
     {},
     false,
     true},
    {"safety_identifier",
     OptText<&Request::has_safety_identifier, &Request::safety_identifier>},
    {"prompt_cache_key",
     OptText<&Request::has_prompt_cache_key, &Request::prompt_cache_key>},
    {"prompt_cache_retention", OptText<&Request::has_prompt_cache_retention,
                                       &Request::prompt_cache_retention>},
    {"prompt_cache_options", Raw<&Request::prompt_cache_options>},
    {"web_search_options", Raw<&Request::web_search_options>},
    {"moderation", Raw<&Request::moderation>},
    {"functions", Raw<&Request::functions>},
    {"function_call", Raw<&Request::function_call>},
};

// Modelled, and written by others than this table.
constexpr std::string_view kElsewhere[] = {"model",
                                           "messages",
                                           "tools",
                                           "tool_choice",
                                           "stream",
                                           "stream_options",
                                           "response_format",
                                           "max_tokens",
                                           "max_completion_tokens",
                                           "reasoning_effort",
                                           "parallel_tool_calls"};

constexpr std::string_view kOwn[] = {"task_type", "run_id",  "agent",
                                     "strict",    "timeout", "llm_service",
                                     "priority"};

}  // namespace

std::span<const RequestField> RequestFields() { return kFields; }

bool IsModelledField(std::string_view name) {
  return std::find(std::begin(kElsewhere), std::end(kElsewhere), name) !=
             std::end(kElsewhere) ||
         std::any_of(std::begin(kFields), std::end(kFields),
                     [&](const RequestField& f) { return f.name == name; });
}

bool IsOwnField(std::string_view name) {
  return std::find(std::begin(kOwn), std::end(kOwn), name) != std::end(kOwn) ||
         name.starts_with("x-") || name.starts_with("x_llm_");
}

}  // namespace llm::openai
