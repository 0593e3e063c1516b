// Embeddings: the third of HttpApi that is neither chats nor reports.
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "adapters/core/text.h"
#include "router/call_error.h"
#include "server/core/read_request.h"
#include "server/http/http_api.h"
#include "server/http/parse_embeddings.h"
#include "server/http/render_embeddings.h"
#include "server/http/replies.h"

namespace llm::server {
namespace {

// Some 5 ms of a loop's time as numbers; more are written beside it.
constexpr size_t kManyFloats = 50'000;

Task<absl::StatusOr<std::string>> Render(SideThread* beside,
                                         v1::CreateEmbeddingsResponse response,
                                         bool base64) {
  if (beside == nullptr || FloatsIn(response) < kManyFloats) {
    co_return RenderEmbeddings(response, base64);
  }
  // Shared: a caller that leaves meanwhile is not waited for.
  const auto shared =
      std::make_shared<const v1::CreateEmbeddingsResponse>(std::move(response));
  Parse<std::string> render = [shared,
                               base64]() -> absl::StatusOr<std::string> {
    return RenderEmbeddings(*shared, base64);
  };
  auto body = co_await MakeOn(beside, std::move(render), Abandoned::kSkipped);
  // The answer is paid for: better late for others than lost.
  if (absl::IsUnavailable(body.status())) {
    co_return RenderEmbeddings(*shared, base64);
  }
  co_return body;
}

}  // namespace

Task<HttpReply> HttpApi::AnswerEmbed(const HttpRequest& request,
                                     const Call& call) {
  const std::string_view encoding = request.Header("content-encoding");
  HttpReply reply;
  if (!encoding.empty() &&
      !absl::EqualsIgnoreCase(ToAbsl(encoding), "identity")) {
    reply = DoorReply(415, "invalid_request",
                      "Compressed bodies are not accepted.", call.request_id);
    NoteRefusal(call.context, reply);
    co_return reply;
  }
  Parse<EmbeddingsBody> parse = [body = request.body] {
    return ParseEmbeddings(body);
  };
  auto asked = co_await ReadOn<EmbeddingsBody>(
      options_.reader, request.body->size(), std::move(parse));
  if (!asked.ok()) {
    reply = ErrorReply(Stopped(asked.status(), call), call.request_id);
    NoteRefusal(call.context, reply);
    co_return reply;
  }
  if (call.context.strict) asked->message.set_strict(true);
  EmbedCallResult result =
      co_await service_->Embed(call.context, asked->message);
  absl::Status status = std::move(result.status);
  if (status.ok()) {
    auto body = co_await Render(options_.reader, *std::move(result.response),
                                asked->base64);
    if (body.ok()) {
      reply.body = *std::move(body);
    } else {
      status = Stopped(ReadFailure(body.status()), call);
    }
  }
  if (!status.ok()) reply = ErrorReply(status, call.request_id);
  AddCallHeaders(result.info, &reply);
  co_return reply;
}

Task<void> HttpApi::Embed(const HttpRequest& request, Call& call,
                          Exchange& exchange) {
  HttpReply reply = co_await AnswerEmbed(request, call);
  Decorate(request, call.request_id, &reply);
  exchange.Reply(std::move(reply));
}

}  // namespace llm::server
