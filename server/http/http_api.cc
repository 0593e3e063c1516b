#include "server/http/http_api.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/core/status_macros.h"
#include "adapters/core/text.h"
#include "router/call_error.h"
#include "server/core/call_headers.h"
#include "server/http/foreign_caller.h"
#include "server/http/parse_reports.h"
#include "server/http/render_reports.h"
#include "server/http/replies.h"
#include "server/http/request_context.h"

namespace llm::server {
namespace {

// Routes that need no key and make no call.
bool IsOpen(HttpRoute route) {
  return route == HttpRoute::kHealth || route == HttpRoute::kReady ||
         route == HttpRoute::kMetrics;
}

bool IsAdmin(HttpRoute route) {
  return route == HttpRoute::kKeys || route == HttpRoute::kKey ||
         route == HttpRoute::kRevokeKey || route == HttpRoute::kProviders ||
         route == HttpRoute::kTestProvider;
}

HttpReply Json(std::string body) {
  HttpReply reply;
  reply.body = std::move(body);
  return reply;
}

}  // namespace

HttpApi::HttpApi(HttpService* service, const HttpServerOptions& options)
    : service_(service), options_(options) {}

bool HttpApi::Serves(HttpRoute route) const {
  switch (options_.kind) {
    case HttpListenerKind::kMetrics:
      return route == HttpRoute::kMetrics || route == HttpRoute::kHealth;
    case HttpListenerKind::kPublic:
      return route != HttpRoute::kMetrics && !IsAdmin(route);
    case HttpListenerKind::kAdmin:
      return route != HttpRoute::kMetrics;
  }
  return false;
}

absl::Status HttpApi::Authorise(const HttpRequest& request, Call* call) const {
  const std::string_view credentials = request.Header("authorization");
  if (IsAdmin(call->target.route)) {
    return service_->AuthoriseAdmin(credentials);
  }
  LLM_ASSIGN_OR_RETURN(call->context.caller,
                       service_->Authenticate(credentials));
  return FillContext(request, call->target, &call->context);
}

std::optional<HttpReply> HttpApi::Gate(const HttpRequest& request,
                                       Call* call) const {
  if (service_ != nullptr) {
    call->context = service_->NewCall(Caller{}, "http");
    call->request_id = call->context.call_id.value;
    call->context.client_request_id =
        SaneRequestId(request.Header("x-request-id"));
    call->context.trace_id = TraceIdOf(request.Header("traceparent"));
  }
  if (auto preflight = Preflight(request)) return preflight;
  auto target = ParseTarget(request.target);
  if (!target.ok()) return ErrorReply(target.status(), call->request_id);
  call->target = *std::move(target);
  const HttpRoute route = call->target.route;
  if (route == HttpRoute::kNone || !Serves(route)) {
    return DoorReply(404, "not_found", "There is no such route here.",
                     call->request_id);
  }
  if (!IsAllowed(route, request.method)) {
    HttpReply reply =
        DoorReply(405, "method_not_allowed",
                  "This route does not take that method.", call->request_id);
    reply.With("Allow", AllowedMethods(route));
    return reply;
  }
  if (IsOpen(route)) return std::nullopt;
  if (auto foreign = RefuseForeign(request, call->request_id)) return foreign;
  const absl::Status allowed = Authorise(request, call);
  if (!allowed.ok()) return ErrorReply(allowed, call->request_id);
  return std::nullopt;
}

std::optional<HttpReply> HttpApi::RefuseForeign(
    const HttpRequest& request, std::string_view request_id) const {
  if (!options_.programs_only) return std::nullopt;
  const std::string_view sign = ForeignCaller(request, options_.cors);
  if (sign.empty()) return std::nullopt;
  return DoorReply(
      403, "invalid_request",
      absl::StrCat("Without keys (auth.mode: none) web pages may not call: "
                   "the header '",
                   ToAbsl(sign),
                   "' names another site. Set auth.mode to keys, or name the "
                   "site in server.cors"),
      request_id);
}

void HttpApi::NoteRefusal(const CallContext& context, const HttpReply& reply) {
  if (service_ == nullptr || reply.error_code.empty()) return;
  service_->NoteRefusal(context, reply.error_code, reply.status);
}

HttpReply HttpApi::Refusal(const HttpRequest& head, const DoorFault& fault) {
  CallContext context;
  if (service_ != nullptr) {
    context = service_->NewCall(Caller{}, "http");
    context.client_request_id = SaneRequestId(head.Header("x-request-id"));
    context.trace_id = TraceIdOf(head.Header("traceparent"));
  }
  const std::string& id = context.call_id.value;
  HttpReply reply = DoorReply(fault.status, fault.code, fault.message, id);
  NoteRefusal(context, reply);
  Decorate(head, id, &reply);
  return reply;
}

std::optional<HttpReply> HttpApi::RefuseEarly(const HttpRequest& head) {
  Call call;
  auto refusal = Gate(head, &call);
  if (!refusal && !TakesBody(call.target.route, head.method)) {
    // Some of these routes are open: nobody may fill memory through them.
    const bool chunked = !head.Header("transfer-encoding").empty();
    refusal = DoorReply(chunked ? 400 : 413,
                        chunked ? "invalid_request" : "body_too_large",
                        "This route takes no body.", call.request_id);
  }
  if (refusal) {
    NoteRefusal(call.context, *refusal);
    Decorate(head, call.request_id, &*refusal);
  }
  return refusal;
}

std::string HttpApi::BodyOwner(const HttpRequest& head) {
  if (service_ == nullptr) return {};
  const auto caller = service_->Authenticate(head.Header("authorization"));
  return caller.ok() ? caller->key_id.value : std::string();
}

Task<void> HttpApi::Handle(const HttpRequest& request, Exchange& exchange) {
  Call call;
  auto refusal = Gate(request, &call);
  call.context.service_stopping = &exchange.service_stopping();
  if (!refusal && call.target.route == HttpRoute::kChat) {
    co_await Chat(request, call, exchange);
    co_return;
  }
  if (!refusal && call.target.route == HttpRoute::kEmbeddings) {
    co_await Embed(request, call, exchange);
    co_return;
  }
  HttpReply reply;
  if (refusal) {
    reply = *std::move(refusal);
  } else {
    reply = co_await Answer(request, call);
  }
  NoteRefusal(call.context, reply);
  Decorate(request, call.request_id, &reply);
  exchange.Reply(std::move(reply));
}

Task<HttpReply> HttpApi::Answer(const HttpRequest& request, const Call& call) {
  switch (call.target.route) {
    case HttpRoute::kHealth:
      co_return Json("{\"status\":\"ok\"}");
    case HttpRoute::kReady: {
      HttpReply reply = Json(service_->ReadinessJson());
      if (!service_->Ready()) reply.status = 503;
      co_return reply;
    }
    case HttpRoute::kMetrics: {
      HttpReply reply = Json(options_.metrics ? options_.metrics() : "");
      reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
      co_return reply;
    }
    case HttpRoute::kModels:
      co_return Json(RenderModels(service_->ListModels(call.context.caller)));
    case HttpRoute::kModel:
      co_return AnswerModel(call);
    case HttpRoute::kRoute:
      co_return co_await AnswerRoute(request, call);
    case HttpRoute::kUsage:
      co_return co_await AnswerUsage(call);
    case HttpRoute::kProviders:
      co_return Json(RenderProviders(service_->ListProviders()));
    case HttpRoute::kTestProvider:
      co_return co_await AnswerTest(request, call);
    default:
      co_return co_await AnswerKeys(request, call);
  }
}

HttpReply HttpApi::AnswerModel(const Call& call) const {
  const auto model =
      service_->GetModel(call.context.caller, call.target.argument);
  if (!model.ok()) return ErrorReply(model.status(), call.request_id);
  return Json(RenderModel(*model));
}

Task<HttpReply> HttpApi::AnswerRoute(const HttpRequest& request,
                                     const Call& call) {
  const auto chat = co_await ReadChat(request, call);
  if (!chat.ok()) co_return ErrorReply(chat.status(), call.request_id);
  const auto plan = service_->Explain(call.context, *chat);
  if (!plan.ok()) co_return ErrorReply(plan.status(), call.request_id);
  co_return Json(RenderPlan(*plan));
}

Task<HttpReply> HttpApi::AnswerUsage(const Call& call) {
  const auto query = ParseUsageQuery(call.target.query);
  if (!query.ok()) co_return ErrorReply(query.status(), call.request_id);
  const auto usage = co_await service_->GetUsage(call.context.caller, *query);
  if (!usage.ok()) co_return ErrorReply(usage.status(), call.request_id);
  co_return Json(RenderUsage(*usage));
}

Task<HttpReply> HttpApi::AnswerTest(const HttpRequest& request,
                                    const Call& call) {
  auto test = ParseTestProvider(request.body == nullptr
                                    ? std::string_view()
                                    : std::string_view(*request.body));
  if (!test.ok()) co_return ErrorReply(test.status(), call.request_id);
  test->set_id(call.target.argument);
  const auto tested = co_await service_->TestProvider(*test);
  if (!tested.ok()) co_return ErrorReply(tested.status(), call.request_id);
  co_return Json(RenderTestedProvider(*tested));
}

Task<HttpReply> HttpApi::AnswerKeys(const HttpRequest& request,
                                    const Call& call) {
  absl::Status failure;
  if (call.target.route != HttpRoute::kKeys) {
    v1::RevokeKeyRequest revoke;
    revoke.set_id(call.target.argument);
    const auto revoked = co_await service_->RevokeKey(revoke);
    if (revoked.ok()) co_return Json(RenderRevokedKey(*revoked));
    failure = revoked.status();
  } else if (request.method == "POST") {
    const auto create = ParseCreateKey(*request.body);
    if (!create.ok()) co_return ErrorReply(create.status(), call.request_id);
    const auto created = co_await service_->CreateKey(*create);
    if (created.ok()) co_return Json(RenderCreatedKey(*created));
    failure = created.status();
  } else {
    const auto list = ParseListKeys(call.target.query);
    if (!list.ok()) co_return ErrorReply(list.status(), call.request_id);
    const auto keys = co_await service_->ListKeys(*list);
    if (keys.ok()) co_return Json(RenderKeys(*keys));
    failure = keys.status();
  }
  co_return ErrorReply(failure, call.request_id);
}

bool HttpApi::OriginAllowed(std::string_view origin) const {
  if (origin.empty()) return false;
  return std::any_of(
      options_.cors.begin(), options_.cors.end(),
      [&](const std::string& one) { return one == "*" || one == origin; });
}

std::optional<HttpReply> HttpApi::Preflight(const HttpRequest& request) const {
  if (request.method != "OPTIONS" ||
      request.Header("access-control-request-method").empty() ||
      !OriginAllowed(request.Header("origin"))) {
    return std::nullopt;
  }
  HttpReply reply;
  reply.status = 204;
  reply.With("Access-Control-Allow-Methods", "GET, POST, DELETE")
      .With("Access-Control-Allow-Headers",
            "authorization, content-type, x-request-id, x-llm-timeout, "
            "x-llm-strict, x-llm-priority, idempotency-key, "
            "x-stainless-timeout, x-stainless-read-timeout, "
            "x-stainless-retry-count, x-stainless-lang, "
            "x-stainless-package-version, x-stainless-os, x-stainless-arch, "
            "x-stainless-runtime, x-stainless-runtime-version, traceparent")
      .With("Access-Control-Max-Age", "600");
  return reply;
}

void HttpApi::Decorate(const HttpRequest& request, std::string_view request_id,
                       HttpReply* reply) const {
  const std::string_view callers =
      SaneRequestId(request.Header("x-request-id"));
  const std::string_view shown = callers.empty() ? request_id : callers;
  if (!shown.empty()) reply->With("x-request-id", shown);
  const std::string_view origin = request.Header("origin");
  if (!OriginAllowed(origin)) return;
  reply->With("Access-Control-Allow-Origin", origin)
      .With("Vary", "Origin")
      .With("Access-Control-Expose-Headers",
            "x-request-id, x-llm-model, x-llm-provider, x-llm-attempts, "
            "x-llm-cost, x-llm-overhead-us, x-llm-dropped, "
            "x-llm-idempotent-replay, retry-after, "
            "x-should-retry");
}

}  // namespace llm::server
