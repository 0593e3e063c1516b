// Chat completions, whole and streamed: the half of HttpApi that calls models.
#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"
#include "router/call_error.h"
#include "server/core/read_request.h"
#include "server/http/http_api.h"
#include "server/http/parse_chat_request.h"
#include "server/http/render_chat.h"
#include "server/http/render_error.h"
#include "server/http/replies.h"

namespace llm::server {
namespace {

// Of a chunk with a word or two: it need not grow as it is written.
constexpr size_t kUsualEvent = 400;

std::string Event(std::string_view json) {
  return absl::StrCat("data: ", ToAbsl(json), "\n\n");
}

void MarkReplay(HttpReply* reply) {
  reply->With("x-llm-idempotent-replay", "true");
}

// Writes chunks as events. What is known when the first leaves becomes headers.
class EventSource : public ChunkSink {
 public:
  EventSource(Exchange& exchange, HttpReply head, absl::Duration grace)
      : exchange_(exchange), head_(std::move(head)), grace_(grace) {
    exchange_.SetStream(head_, grace_);
  }

  void OnReplay() override {
    MarkReplay(&head_);
    exchange_.SetStream(head_, grace_);
  }

  void OnCommit(const v1::ServiceInfo& known) override {
    if (exchange_.stream_started()) return;
    HttpReply all;
    AddCallHeaders(known, &all);
    // Cost and time spent are not known yet: the last chunk tells.
    std::copy_if(all.headers.begin(), all.headers.end(),
                 std::back_inserter(head_.headers), [](const auto& h) {
                   return h.first == "x-llm-model" ||
                          h.first == "x-llm-provider" ||
                          h.first == "x-llm-attempts" ||
                          h.first == "x-llm-dropped";
                 });
    exchange_.SetStream(head_, grace_);
  }

  Task<absl::Status> Write(v1::ChatCompletionChunk&& chunk) override {
    std::string event;
    event.reserve(kUsualEvent);
    event = "data: ";
    RenderChunk(chunk, places_, &event);
    event += "\n\n";
    co_return co_await exchange_.Send(event);
  }

 private:
  Exchange& exchange_;
  HttpReply head_;
  const absl::Duration grace_;
  StreamPlaces places_;
};

}  // namespace

Task<absl::StatusOr<ChatRequest>> HttpApi::ReadChat(const HttpRequest& request,
                                                    const Call& call) {
  // Named, and moved: GCC 12 destroys a temporary with captures twice where it
  // is made within a co_await (seen with valgrind, 2026-11-27).
  ParseRequest parse = [body = request.body] { return ParseChatRequest(body); };
  auto chat = co_await ReadRequest(options_.reader, request.body->size(),
                                   std::move(parse));
  if (!chat.ok()) co_return Stopped(chat.status(), call);
  co_return chat;
}

absl::Status HttpApi::Stopped(const absl::Status& status, const Call& call) {
  if (!absl::IsCancelled(status) || !*call.context.service_stopping) {
    return status;
  }
  return RefuseCall(absl::StatusCode::kUnavailable, "overloaded",
                    "The service is shutting down; try another instance");
}

Task<void> HttpApi::Chat(const HttpRequest& request, Call& call,
                         Exchange& exchange) {
  const std::string_view encoding = request.Header("content-encoding");
  if (!encoding.empty() &&
      !absl::EqualsIgnoreCase(ToAbsl(encoding), "identity")) {
    HttpReply reply =
        DoorReply(415, "invalid_request", "Compressed bodies are not accepted.",
                  call.request_id);
    NoteRefusal(call.context, reply);
    Decorate(request, call.request_id, &reply);
    exchange.Reply(std::move(reply));
    co_return;
  }
  auto chat = co_await ReadChat(request, call);
  if (!chat.ok()) {
    HttpReply reply = ErrorReply(chat.status(), call.request_id);
    NoteRefusal(call.context, reply);
    Decorate(request, call.request_id, &reply);
    exchange.Reply(std::move(reply));
    co_return;
  }
  if (call.context.strict) chat->message.set_strict(true);
  if (WantsStream(*chat)) {
    co_await ChatStream(request, call, *chat, exchange);
  } else {
    co_await ChatWhole(request, call, *chat, exchange);
  }
}

Task<void> HttpApi::ChatWhole(const HttpRequest& request, const Call& call,
                              const ChatRequest& chat, Exchange& exchange) {
  const CallResult result =
      co_await service_->Chat(call.context, chat, nullptr);
  HttpReply reply;
  if (!result.status.ok()) {
    reply = ErrorReply(result.status, call.request_id);
  } else if (result.response) {
    reply.body = RenderCompletion(*result.response);
  } else {
    reply = DoorReply(500, "internal", "The call ended without an answer.",
                      call.request_id);
  }
  AddCallHeaders(result.info, &reply);
  if (result.replayed) MarkReplay(&reply);
  Decorate(request, call.request_id, &reply);
  exchange.Reply(std::move(reply));
}

Task<void> HttpApi::ChatStream(const HttpRequest& request, const Call& call,
                               const ChatRequest& chat, Exchange& exchange) {
  HttpReply head;
  head.content_type = "text/event-stream; charset=utf-8";
  head.With("Cache-Control", "no-cache").With("X-Accel-Buffering", "no");
  Decorate(request, call.request_id, &head);
  EventSource source(exchange, std::move(head), options_.stream_grace);
  const CallResult result =
      co_await service_->Chat(call.context, chat, &source);
  if (result.status.ok()) {
    (void)co_await exchange.Send("data: [DONE]\n\n");
    exchange.EndStream();
    co_return;
  }
  if (!exchange.stream_started()) {
    HttpReply reply = ErrorReply(result.status, call.request_id);
    AddCallHeaders(result.info, &reply);
    if (result.replayed) MarkReplay(&reply);
    Decorate(request, call.request_id, &reply);
    exchange.Reply(std::move(reply));
    co_return;
  }
  // The status line is out: the failure arrives in band, without [DONE].
  const std::string event =
      Event(RenderError(CallErrorDetail(result.status),
                        CallErrorHttpStatus(result.status), call.request_id));
  (void)co_await exchange.Send(event);
  exchange.EndStream();
}

}  // namespace llm::server
