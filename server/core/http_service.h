// What the HTTP door needs from the gateway beyond what both doors need.
//
// Threads, ownership, errors: as gateway.h says for each method.
#ifndef LLM_SERVER_CORE_HTTP_SERVICE_H_
#define LLM_SERVER_CORE_HTTP_SERVICE_H_

#include <string>
#include <string_view>

#include "server/core/chat_service.h"

namespace llm::server {

class HttpService : public ChatService {
 public:
  virtual absl::StatusOr<RoutePlan> Explain(
      const CallContext& context, const ChatRequest& request) const = 0;
  virtual absl::StatusOr<v1::Model> GetModel(const Caller& caller,
                                             std::string_view id) const = 0;
  virtual bool Ready() const = 0;
  virtual std::string ReadinessJson() const = 0;
};

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_HTTP_SERVICE_H_
