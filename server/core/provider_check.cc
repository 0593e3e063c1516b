#include "server/core/provider_check.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "adapters/core/money.h"
#include "adapters/core/text.h"
#include "router/call_error.h"
#include "router/closest_names.h"
#include "router/wire_usage.h"

namespace llm::server {
namespace {

// Three of them fit into what clients wait for an answer's first byte.
constexpr absl::Duration kPatience = absl::Seconds(35);
constexpr int kMaxTokens = 512;
// Enough for a model that thinks before it says one word; it is billed only
// for what it uses.
constexpr int kMaxTokensThinking = 8192;
constexpr char kToolName[] = "report_word";

const Deployment* DeploymentAt(const PublicModel& model,
                               std::string_view provider) {
  for (const Deployment& deployment : model.deployments) {
    if (deployment.provider.value == provider) return &deployment;
  }
  return nullptr;
}

const PublicModel* FirstModelOf(const RouteTable& table,
                                std::string_view provider) {
  const PublicModel* first = nullptr;
  for (const std::string& id : table.model_order) {
    const PublicModel* model = table.FindModel(id);
    if (model == nullptr || DeploymentAt(*model, provider) == nullptr) continue;
    // Checks are chats.
    if (model->traits.embeddings.value_or(false)) continue;
    if (model->traits.tools) return model;
    if (first == nullptr) first = model;
  }
  return first;
}

std::string_view NameOf(CheckKind kind) {
  switch (kind) {
    case CheckKind::kChat:
      return "chat";
    case CheckKind::kStream:
      return "stream";
    case CheckKind::kToolCall:
      return "tool_call";
  }
  return "chat";
}

int MaxTokens(const ModelTraits& traits) {
  if (!traits.reasoning) return kMaxTokens;
  if (traits.max_output_tokens == 0) return kMaxTokensThinking;
  return static_cast<int>(
      std::min<int64_t>(kMaxTokensThinking, traits.max_output_tokens));
}

ChatRequest MakeRequest(CheckKind kind, const CheckTarget& target) {
  ChatRequest request;
  v1::ChatCompletionRequest& message = request.message;
  message.set_model(absl::StrCat(target.provider, "/", target.model));
  message.set_max_completion_tokens(MaxTokens(target.traits));
  v1::Message* user = message.add_messages();
  user->set_role("user");
  v1::TextPart* text = user->add_parts()->mutable_text();
  if (kind != CheckKind::kToolCall) {
    text->set_text("Answer with one word: pong");
    return request;
  }
  text->set_text(absl::StrCat("Call ", kToolName, " with the word pong."));
  v1::FunctionTool* tool = message.add_tools()->mutable_function();
  tool->set_name(kToolName);
  tool->set_description("Reports one word.");
  tool->set_parameters(
      R"({"type":"object","properties":{"word":{"type":"string"}},)"
      R"("required":["word"]})");
  message.mutable_tool_choice()->set_mode(
      target.traits.forced_tool_choice ? "required" : "auto");
  return request;
}

bool CallsATool(const v1::ChatCompletionResponse& response) {
  for (const v1::Choice& choice : response.choices()) {
    for (const v1::Part& part : choice.message().parts()) {
      if (part.has_tool_call()) return true;
    }
  }
  return false;
}

// A reader that takes everything; what came is in the record.
class Swallow final : public ChunkSink {
 public:
  Task<absl::Status> Write(v1::ChatCompletionChunk&& /*chunk*/) override {
    co_return absl::OkStatus();
  }
};

void CopyRecord(const AttemptRecord& record, v1::ProviderCheck* check) {
  check->set_upstream_status(record.http_status);
  check->set_latency_ms(absl::ToInt64Milliseconds(record.duration));
  if (record.time_to_first_content) {
    check->set_first_content_ms(
        absl::ToInt64Milliseconds(*record.time_to_first_content));
  }
  check->set_served_model(record.served_model.value);
  check->set_input_tokens(record.usage.TotalInput().value_or(0));
  check->set_output_tokens(record.usage.output.value_or(0));
  check->set_usage_source(std::string(WireUsageSource(record.usage_source)));
  if (record.cost) {
    check->set_cost(FormatPico(record.cost->pico));
    check->set_currency(record.cost->currency.code);
  }
  for (const std::string& name : record.dropped) check->add_dropped(name);
  check->set_provider_request_id(record.provider_request_id);
}

void Fail(std::string_view failure, std::string_view message,
          v1::ProviderCheck* check) {
  check->set_outcome("failed");
  check->set_failure(std::string(failure));
  check->set_message(std::string(message));
}

void Judge(CheckKind kind, const CallResult& result, const ProbeTrace& trace,
           v1::ProviderCheck* check) {
  check->set_upstream_code(trace.failure.code);
  if (!result.status.ok()) {
    const v1::UpstreamError detail = CallErrorDetail(result.status);
    // An operator may hear what the provider says of our account; a caller
    // does not.
    const bool said = !trace.failure.message.empty();
    const bool known = trace.failure.failure != FailureClass::kNone;
    Fail(known ? FailureClassName(trace.failure.failure) : detail.code(),
         said ? trace.failure.message : detail.message(), check);
    if (trace.failure.http_status != 0) {
      check->set_upstream_status(trace.failure.http_status);
    }
  } else if (kind == CheckKind::kToolCall &&
             (!result.response || !CallsATool(*result.response))) {
    Fail("no_tool_call", "the model answered without calling the tool", check);
  } else {
    check->set_outcome("ok");
    check->set_failure("ok");
    check->set_message(result.info.warning());
  }
}

std::string HostOf(const std::string& url) {
  const size_t authority = url.find("://");
  if (authority == std::string::npos) return {};
  return url.substr(0, url.find('/', authority + 3));
}

// Of several deployments: out only when all are.
HealthState Together(const std::vector<HealthState>& states) {
  const auto has = [&](HealthState state) {
    return std::find(states.begin(), states.end(), state) != states.end();
  };
  const bool all_out =
      !states.empty() &&
      std::all_of(states.begin(), states.end(), [](HealthState state) {
        return state == HealthState::kUnavailable;
      });
  if (all_out) return HealthState::kUnavailable;
  if (has(HealthState::kUnavailable) || has(HealthState::kDegraded)) {
    return HealthState::kDegraded;
  }
  return has(HealthState::kHealthy) ? HealthState::kHealthy
                                    : HealthState::kUnknown;
}

}  // namespace

absl::StatusOr<CheckTarget> FindCheckTarget(
    const RouteTable& table, const v1::TestProviderRequest& request) {
  if (!table.providers.contains(request.id())) {
    std::vector<std::string> names;
    for (const auto& [id, settings] : table.providers) names.push_back(id);
    return RefuseCall(
        absl::StatusCode::kNotFound, "not_found",
        absl::StrCat("no such provider is configured",
                     DidYouMean(ClosestNames(request.id(), std::move(names)))),
        "id");
  }
  CheckTarget target;
  target.provider = request.id();
  if (!request.model().empty()) {
    target.model = request.model();
    const PublicModel* model = table.FindModel(request.model());
    if (model != nullptr) target.traits = model->traits;
    return target;
  }
  const PublicModel* model = FirstModelOf(table, request.id());
  if (model == nullptr) {
    return RefuseField("model",
                       "no configured model is served by this provider: name "
                       "an upstream model");
  }
  target.model = model->id.value;
  target.traits = model->traits;
  return target;
}

Caller ProbeCaller() {
  Caller caller;
  caller.key_id = KeyId{"probe"};
  caller.tenant = "probe";
  caller.admin = true;
  return caller;
}

Task<v1::ProviderCheck> RunCheck(CheckKind kind, const CheckTarget& target,
                                 CallContext context, Router& router) {
  v1::ProviderCheck check;
  check.set_name(std::string(NameOf(kind)));
  if (kind == CheckKind::kToolCall && !target.traits.tools) {
    check.set_outcome("skipped");
    check.set_message("the model takes no tools");
    co_return check;
  }
  ProbeTrace trace;
  context.probe = &trace;
  context.deadline = context.received + kPatience;
  const ChatRequest request = MakeRequest(kind, target);
  Swallow swallow;
  ChunkSink* const sink = kind == CheckKind::kStream ? &swallow : nullptr;
  const CallResult result = co_await router.Chat(context, request, sink);
  check.set_request_id(context.call_id.value);
  if (trace.record) CopyRecord(*trace.record, &check);
  Judge(kind, result, trace, &check);
  co_return check;
}

v1::ListProvidersResponse DescribeProviders(const RouteTable& table,
                                            const HealthBoard& health,
                                            Instant now) {
  std::set<std::string> ids;
  for (const auto& [id, settings] : table.providers) ids.insert(id);
  v1::ListProvidersResponse response;
  for (const std::string& id : ids) {
    const ProviderSettings& settings = table.providers.at(id);
    v1::ProviderInfo* info = response.add_providers();
    info->set_id(id);
    info->set_dialect(settings.dialect);
    info->set_host(HostOf(settings.base_url));
    info->set_keys(static_cast<int32_t>(settings.api_keys.size()));
    std::vector<HealthState> states;
    for (const std::string& name : table.model_order) {
      const PublicModel* model = table.FindModel(name);
      const Deployment* deployment =
          model == nullptr ? nullptr : DeploymentAt(*model, id);
      if (deployment == nullptr) continue;
      states.push_back(health.View(SubjectOf(table, *deployment), now).state);
    }
    info->set_models(static_cast<int32_t>(states.size()));
    info->set_health(std::string(HealthStateName(Together(states))));
  }
  return response;
}

}  // namespace llm::server
