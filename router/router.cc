#include "router/router.h"

#include <utility>

#include "router/call.h"
#include "router/call_identity.h"
#include "router/embed_job.h"
#include "router/route_index.h"

namespace llm {

Router::Router(RouterParts parts) : parts_(std::move(parts)) {
  if (parts_.index == nullptr) {
    parts_.index = std::make_shared<const RouteIndex>(*parts_.table);
  }
}

Router::~Router() = default;

Task<CallResult> Router::Chat(const CallContext& context,
                              const ChatRequest& request, ChunkSink* sink) {
  Call call(parts_, context, request, sink);
  co_return co_await call.Run();
}

Task<EmbedCallResult> Router::Embed(
    const CallContext& context, const v1::CreateEmbeddingsRequest& request) {
  const ChatRequest envelope = EnvelopeOf(request);
  EmbedJob job(request, parts_.embeddings);
  Call call(parts_, context, envelope, job);
  CallResult done = co_await call.Run();
  EmbedCallResult result;
  result.status = std::move(done.status);
  result.info = std::move(done.info);
  if (!result.status.ok()) co_return result;
  result.response = job.TakeResponse();
  result.response->set_model(result.info.model());
  v1::Usage& usage = *result.response->mutable_usage();
  if (done.response) usage = done.response->usage();
  *result.response->mutable_llm_service() = result.info;
  co_return result;
}

absl::StatusOr<RoutePlan> Router::Explain(const CallContext& context,
                                          const ChatRequest& request) const {
  const Conversation conversation = ConversationOf(
      context.caller.tenant, IdentityOf(context, request.message),
      context.path_task, request.message);
  const std::string sticky_key = StickyKey(conversation, context.call_id);
  auto plan = MakePlan(
      PlanInputFor(parts_, context, request, conversation, sticky_key));
  if (plan.ok()) plan->table = parts_.table;
  return plan;
}

Task<ProbeResult> Router::Probe(const std::string& provider,
                                const ProbeContext& context) const {
  const auto known = parts_.providers.find(provider);
  if (known == parts_.providers.end() || known->second == nullptr) {
    co_return ProbeResult();
  }
  co_return co_await known->second->Probe(context);
}

const RouteTable& Router::table() const { return *parts_.table; }

}  // namespace llm
