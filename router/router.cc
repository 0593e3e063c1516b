#include "router/router.h"

#include <utility>

#include "router/call.h"
#include "router/call_identity.h"

namespace llm {

Router::Router(RouterParts parts) : parts_(std::move(parts)) {}

Router::~Router() = default;

Task<CallResult> Router::Chat(const CallContext& context,
                              const ChatRequest& request, ChunkSink* sink) {
  Call call(parts_, context, request, sink);
  co_return co_await call.Run();
}

absl::StatusOr<RoutePlan> Router::Explain(const CallContext& context,
                                          const ChatRequest& request) const {
  const Conversation conversation = ConversationOf(
      context.caller.tenant, IdentityOf(context, request.message),
      context.path_task, request.message);
  const std::string sticky_key = StickyKey(conversation, context.call_id);
  return MakePlan(
      PlanInputFor(parts_, context, request, conversation, sticky_key));
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
