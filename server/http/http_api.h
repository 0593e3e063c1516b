// The routes of contract.md section 3, for one loop.
//
// Translates and nothing more: who may do what and what comes back is the
// service's to say.
//
// Threads:   The loop of its service.
// Ownership: Service and options outlive it.
#ifndef LLM_SERVER_HTTP_HTTP_API_H_
#define LLM_SERVER_HTTP_HTTP_API_H_

#include <optional>
#include <string>
#include <string_view>

#include "server/http/http_handler.h"
#include "server/http/http_server.h"
#include "server/http/http_target.h"

namespace llm::server {

class HttpApi : public HttpHandler {
 public:
  // `service` may be null on a metrics listener.
  HttpApi(HttpService* service, const HttpServerOptions& options);

  HttpReply Refusal(const HttpRequest& head, const DoorFault& fault) override;
  std::optional<HttpReply> RefuseEarly(const HttpRequest& head) override;
  std::string BodyOwner(const HttpRequest& head) override;
  Task<void> Handle(const HttpRequest& request, Exchange& exchange) override;

 private:
  // What is known once a request has passed the gate.
  struct Call {
    HttpTarget target;
    CallContext context;
    // Ours: what rows, logs and bodies call this request. Empty on a metrics
    // listener, which makes no calls.
    std::string request_id;
  };

  bool Serves(HttpRoute route) const;
  // The refusal of a request that may not pass, or nothing and `call` filled.
  std::optional<HttpReply> Gate(const HttpRequest& request, Call* call) const;
  std::optional<HttpReply> RefuseForeign(const HttpRequest& request,
                                         std::string_view request_id) const;
  absl::Status Authorise(const HttpRequest& request, Call* call) const;

  // Tells of an error that is answered here and that no router saw.
  void NoteRefusal(const CallContext& context, const HttpReply& reply);
  Task<HttpReply> Answer(const HttpRequest& request, const Call& call);
  Task<HttpReply> AnswerKeys(const HttpRequest& request, const Call& call);
  Task<HttpReply> AnswerTest(const HttpRequest& request, const Call& call);
  Task<HttpReply> AnswerUsage(const Call& call);
  Task<HttpReply> AnswerRoute(const HttpRequest& request, const Call& call);
  HttpReply AnswerModel(const Call& call) const;

  // What the end of the service cancelled is `overloaded`.
  static absl::Status Stopped(const absl::Status& status, const Call& call);
  Task<absl::StatusOr<ChatRequest>> ReadChat(const HttpRequest& request,
                                             const Call& call);
  Task<void> Chat(const HttpRequest& request, Call& call, Exchange& exchange);
  Task<void> ChatWhole(const HttpRequest& request, const Call& call,
                       const ChatRequest& chat, Exchange& exchange);
  Task<void> ChatStream(const HttpRequest& request, const Call& call,
                        const ChatRequest& chat, Exchange& exchange);

  Task<void> Embed(const HttpRequest& request, Call& call, Exchange& exchange);
  // The answer, or the error, without the headers of every reply.
  Task<HttpReply> AnswerEmbed(const HttpRequest& request, const Call& call);

  // The request id (the caller's own, if it sent a sane one) and, for
  // configured origins, the CORS headers.
  void Decorate(const HttpRequest& request, std::string_view request_id,
                HttpReply* reply) const;
  std::optional<HttpReply> Preflight(const HttpRequest& request) const;
  bool OriginAllowed(std::string_view origin) const;

  HttpService* service_;
  const HttpServerOptions& options_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_HTTP_API_H_
