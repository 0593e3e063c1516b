#include "tests/adapters/http/http_fixture.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "adapters/core/text.h"

namespace llm {

namespace asio = boost::asio;

void RememberingSink::OnHead(int head_status,
                             const std::vector<HttpHeader>& head_headers) {
  ++heads;
  status = head_status;
  headers = head_headers;
}

Task<absl::StatusOr<BodyProgress>> RememberingSink::OnBody(
    std::string_view slice) {
  if (gated) {
    ++waiting;
    co_await gate_.async_wait(asio::as_tuple(asio::use_awaitable));
    --waiting;
  }
  body.append(slice);
  if (!answer.ok()) co_return answer;
  co_return progress;
}

void RememberingSink::OpenGate() {
  gated = false;
  gate_.cancel();
}

HttpRequest HttpFixture::Post(std::string body) const {
  HttpRequest request;
  request.url = server.Url("/v1/chat");
  request.headers = {{"Content-Type", "application/json"}};
  request.body = std::move(body);
  return request;
}

Sending HttpFixture::Start(const HttpRequest& request, BodySink& sink) {
  Sending sending;
  asio::co_spawn(io, transport->Send(request, sink),
                 asio::bind_cancellation_slot(
                     sending.outcome_->signal.slot(),
                     [outcome = sending.outcome_](std::exception_ptr error,
                                                  HttpResult result) {
                       if (error) std::rethrow_exception(error);
                       outcome->result = std::move(result);
                     }));
  return sending;
}

HttpResult HttpFixture::Send(const HttpRequest& request, BodySink& sink) {
  Sending sending = Start(request, sink);
  if (!RunUntil([&] { return sending.done(); })) {
    throw std::logic_error("Send does not end");
  }
  return sending.result();
}

HttpResult HttpFixture::Send(const HttpRequest& request) {
  RememberingSink sink(io);
  return Send(request, sink);
}

bool HttpFixture::RunUntil(const std::function<bool()>& fact) {
  const auto give_up =
      std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!fact()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    io.restart();
    io.run_one_for(std::chrono::milliseconds(20));
  }
  return true;
}

void HttpFixture::RunReady() {
  io.restart();
  while (io.run_one_for(std::chrono::milliseconds(5)) > 0) {
  }
}

std::string Answer(std::string_view body, int status,
                   std::string_view more_headers) {
  return absl::StrCat("HTTP/1.1 ", status,
                      " Fine\r\nContent-Length: ", body.size(), "\r\n",
                      ToAbsl(more_headers), "\r\n", ToAbsl(body));
}

std::string Chunk(std::string_view data) {
  return absl::StrFormat("%x\r\n%s\r\n", data.size(), ToAbsl(data));
}

const char kChunkedHead[] =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
    "Content-Type: text/event-stream\r\n\r\n";

}  // namespace llm
