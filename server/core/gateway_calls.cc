// The calls that reach providers, behind one gate: the service's own limits of
// calls and of memory hold for each of them alike [BUD-4].
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "router/call_error.h"
#include "server/core/gateway.h"
#include "server/core/in_flight.h"

namespace llm::server {
namespace {

// What a request takes in memory beside what was counted: of a body that came
// over HTTP each byte was counted as it came. A part may be four bytes on the
// wire, and an object with others in it here. What conversations have is free.
int64_t UncountedBytes(const ChatRequest& request) {
  constexpr int64_t kObject = 200;
  constexpr int64_t kFree = 1000;
  const v1::ChatCompletionRequest& message = request.message;
  int64_t objects = message.tools_size() + message.stop_size();
  for (const v1::Message& one : message.messages()) {
    objects += 1 + one.parts_size();
  }
  const bool counted = request.source.text != nullptr;
  return std::max<int64_t>(objects - kFree, 0) * kObject +
         (counted ? 0 : static_cast<int64_t>(message.ByteSizeLong()));
}

// Whose share that is: the key's, but where its body has a place in the share
// already, beside which this would be a second body.
std::string ShareOf(const CallContext& context, const ChatRequest& request) {
  return request.source.text != nullptr ? "" : context.caller.key_id.value;
}

// Of the vectors that are asked for: 3072 floats is the longest that the
// catalog knows. They are held as the provider's text, as vectors, in the
// answer and as its text.
int64_t VectorBytes(const v1::CreateEmbeddingsRequest& request) {
  constexpr int64_t kVector = 4 * 3072 * sizeof(float);
  return (request.input_size() + request.token_inputs_size()) * kVector;
}

}  // namespace

CallResult Gateway::Shed(const CallContext& context, std::string_view message) {
  v1::UpstreamError detail;
  detail.set_code("overloaded");
  detail.set_source("gateway");
  detail.set_request_id(context.call_id.value);
  detail.set_message(std::string(message));
  detail.set_retry_after_s(1);
  CallResult refused;
  refused.status =
      MakeCallError(absl::StatusCode::kUnavailable, std::move(detail));
  // The caller's next try meets another instance, so a release is told apart
  // from too much load: as an outcome only, since both mean the same to
  // callers.
  NoteRefusal(context, parts_.state->refusing ? "stopping" : "overloaded",
              CallErrorHttpStatus(refused.status));
  return refused;
}

CallResult Gateway::ShedBody(const CallContext& context) {
  return Shed(context,
              "too many bytes of requests are in hand "
              "(server.max_body_memory); try again later");
}

std::optional<CallResult> Gateway::ShedCall(const CallContext& context) {
  ServiceState& state = *parts_.state;
  if (state.refusing) {
    return Shed(context, "the service is shutting down; try another instance");
  }
  // Calls that go on without their callers are under way all the same.
  const int64_t alone =
      parts_.idempotency == nullptr ? 0 : parts_.idempotency->alone();
  if (state.inflight + alone <= state.max_in_flight) return std::nullopt;
  ++state.shed_calls;
  return Shed(context, absl::StrCat("more than ", state.max_in_flight,
                                    " calls are being answered "
                                    "(server.max_in_flight); try again later"));
}

Task<CallResult> Gateway::Chat(const CallContext& context,
                               const ChatRequest& request, ChunkSink* sink) {
  const InFlight counted(*parts_.state);
  if (auto refused = ShedCall(context)) co_return *std::move(refused);
  if (!context.idempotency_key.empty() && parts_.idempotency != nullptr) {
    co_return co_await ChatOnce(context, request, sink);
  }
  BodyBudget::Hold held(parts_.bodies, ShareOf(context, request));
  if (!held.Grow(UncountedBytes(request))) co_return ShedBody(context);
  // The router this call started with lives until it ends, whatever reloads.
  const std::shared_ptr<Router> router = parts_.snapshot.router;
  co_return co_await router->Chat(context, request, sink);
}

Task<CallResult> Gateway::ChatOnce(const CallContext& context,
                                   const ChatRequest& request,
                                   ChunkSink* sink) {
  // The call may outlive its callers, and its request with it.
  auto held = std::make_shared<BodyBudget::Hold>(parts_.bodies,
                                                 ShareOf(context, request));
  if (!held->Grow(UncountedBytes(request))) co_return ShedBody(context);
  SharedCall::Chat chat = [router = parts_.snapshot.router,
                           held = std::move(held)](
                              const CallContext& c, const ChatRequest& r,
                              ChunkSink* s) { return router->Chat(c, r, s); };
  CallResult result = co_await parts_.idempotency->Chat(context, request, sink,
                                                        std::move(chat));
  const bool ok = result.status.ok();
  const std::string code = ok ? "ok" : CallErrorDetail(result.status).code();
  const int http = ok ? 200 : CallErrorHttpStatus(result.status);
  if (result.replayed && parts_.observer != nullptr) {
    parts_.observer->OnReplayed(
        {context.door, context.call_id.value, result.info.request_id(),
         context.caller.key_id.value, context.client_request_id, code, http});
  } else if (result.info.request_id().empty()) {
    // No router saw it.
    NoteRefusal(context, code, http);
  }
  co_return result;
}

Task<EmbedCallResult> Gateway::Embed(
    const CallContext& context, const v1::CreateEmbeddingsRequest& request) {
  EmbedCallResult result;
  const InFlight counted(*parts_.state);
  if (auto refused = ShedCall(context)) {
    result.status = std::move(refused->status);
    co_return result;
  }
  // Of a body that came over HTTP each byte was counted as it came, and has
  // its place in the key's share.
  const bool body_counted = context.door == "http";
  BodyBudget::Hold held(parts_.bodies,
                        body_counted ? "" : context.caller.key_id.value);
  const int64_t message =
      body_counted ? 0 : static_cast<int64_t>(request.ByteSizeLong());
  if (!held.Grow(VectorBytes(request) + message)) {
    result.status = ShedBody(context).status;
    co_return result;
  }
  const std::shared_ptr<Router> router = parts_.snapshot.router;
  co_return co_await router->Embed(context, request);
}

}  // namespace llm::server
