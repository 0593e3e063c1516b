#include "router/call_identity.h"

#include <algorithm>

#include "adapters/core/json_writer.h"

namespace llm {
namespace {

// Metadata may hold longer texts than a tag.
std::string Metadata(const v1::ChatCompletionRequest& request,
                     const char* name) {
  const auto it = request.metadata().find(name);
  if (it == request.metadata().end()) return {};
  std::string tag = it->second.substr(0, kMaxTag);
  // The cut may have split a character.
  if (tag.size() < it->second.size()) ReplaceInvalidUtf8(&tag);
  return tag;
}

std::string FirstOf(std::string own, const std::string& path,
                    std::string metadata) {
  if (!own.empty()) return own;
  return path.empty() ? metadata : path;
}

}  // namespace

CallIdentity IdentityOf(const CallContext& context,
                        const v1::ChatCompletionRequest& request) {
  CallIdentity identity;
  identity.request_id = context.call_id;
  identity.org = context.caller.org;
  identity.team = context.caller.team;
  identity.user = context.caller.user;
  identity.end_user = request.user();
  identity.key_id = context.caller.key_id;
  identity.run_id =
      FirstOf(request.run_id(), context.path_run, Metadata(request, "run_id"));
  identity.agent =
      FirstOf(request.agent(), context.path_agent, Metadata(request, "agent"));
  identity.symbol = Metadata(request, "symbol");
  identity.trace_id = context.trace_id;
  identity.client_request_id = context.client_request_id;
  identity.door = context.door;
  return identity;
}

Instant CallerDeadline(const CallContext& context,
                       const v1::ChatCompletionRequest& request) {
  if (!request.has_timeout()) return context.deadline;
  const absl::Duration own = absl::Seconds(request.timeout().seconds()) +
                             absl::Nanoseconds(request.timeout().nanos());
  return std::min(context.deadline, context.received + own);
}

}  // namespace llm
