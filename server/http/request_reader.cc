#include "server/http/request_reader.h"

#include <boost/beast/http/error.hpp>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace llm::server {
namespace {

namespace http = boost::beast::http;
using Error = boost::system::error_code;

constexpr size_t kReadSize = 64 * 1024;
// Of a head, and with it most small bodies: what an idle connection holds.
constexpr size_t kHeadReadSize = 8 * 1024;
// A body this small is read even when its request is refused: the connection
// stays usable.
constexpr int64_t kSmallBody = BodyBudget::kSmallBody;

std::string_view View(const boost::beast::flat_buffer& buffer) {
  const auto data = buffer.data();
  return {static_cast<const char*>(data.data()), data.size()};
}

bool Refuse(DoorFault fault, RequestReader::Result* out) {
  out->kind = RequestReader::Result::Kind::kRefused;
  out->fault = std::move(fault);
  return false;
}

bool Refuse(const HeadFault& fault, RequestReader::Result* out) {
  return Refuse(DoorFault{fault.status, "invalid_request", fault.message}, out);
}

bool RefuseLarge(int64_t limit, RequestReader::Result* out) {
  return Refuse(DoorFault{413, "body_too_large",
                          absl::StrCat("The body is larger than ", limit,
                                       " bytes (server.max_body).")},
                out);
}

bool RefuseFull(RequestReader::Result* out) {
  return Refuse(DoorFault{503, "overloaded",
                          "Too many bytes of requests are in hand "
                          "(server.max_body_memory); try again later."},
                out);
}

// A body and its share of the budget, given back with the last who reads it.
struct HeldBody {
  HeldBody(BodyBudget* budget, std::string owner)
      : hold(budget, std::move(owner)) {}
  std::string text;
  BodyBudget::Hold hold;
};

template <typename Message>
HttpRequest RequestOf(const Message& message) {
  HttpRequest request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  request.http10 = message.version() == 10;
  request.keep_alive = message.keep_alive();
  for (const auto& field : message) {
    std::string name(field.name_string());
    absl::AsciiStrToLower(&name);
    request.headers.emplace_back(std::move(name), field.value());
  }
  return request;
}

}  // namespace

RequestReader::RequestReader(Socket& socket, const HttpLimits& limits,
                             Hooks hooks)
    : socket_(socket),
      limits_(limits),
      hooks_(std::move(hooks)),
      buffer_(limits.max_header_bytes + 2 * kReadSize) {}

void RequestReader::SetStage(Stage stage) {
  stage_ = stage;
  hooks_.on_progress(stage);
}

Task<bool> RequestReader::ReadMore() {
  size_t count = 0;
  const size_t size = stage_ == Stage::kBody ? kReadSize : kHeadReadSize;
  const Error error = co_await socket_.ReadSome(buffer_.prepare(size), &count);
  buffer_.commit(count);
  co_return !error;
}

Task<bool> RequestReader::Discard() {
  buffer_.consume(buffer_.size());
  co_return co_await ReadMore();
}

Task<size_t> RequestReader::ReadHead(Result* out) {
  const HeadLimits head_limits{limits_.max_header_bytes, limits_.max_headers};
  while (true) {
    // An empty line before a request is forgiven (RFC 9112 section 2.2).
    while (View(buffer_).starts_with("\r\n")) buffer_.consume(2);
    const size_t end = View(buffer_).find("\r\n\r\n");
    if (end != std::string_view::npos) co_return end + 4;
    if (buffer_.size() > 0 && stage_ == Stage::kIdle) SetStage(Stage::kHead);
    const HeadFault fault = CheckPartialHead(View(buffer_), head_limits);
    if (!fault.ok()) {
      Refuse(fault, out);
      co_return 0;
    }
    if (!co_await ReadMore()) co_return 0;
  }
}

bool RequestReader::MayRead(const HeadFacts& facts, std::string* owner,
                            Result* out) {
  if (facts.chunked || facts.content_length > kSmallBody) {
    auto refusal = hooks_.refuse(out->request);
    if (refusal) {
      out->kind = Result::Kind::kRefused;
      out->reply = std::move(refusal);
      return false;
    }
    if (hooks_.owner) *owner = hooks_.owner(out->request);
  }
  return true;
}

Task<bool> RequestReader::ReadBody(Parser& parser, BodyBudget::Hold& hold,
                                   Result* out) {
  // Beast (1.81) asserts that a last chunk it has seen the start of is not
  // shown to it again without at least "0\r\n\r\n"; no chunked body ends with
  // less, so nothing is lost by waiting.
  const size_t least = parser.chunked() ? 5 : 1;
  while (!parser.is_done()) {
    Error error;
    const size_t used =
        buffer_.size() >= least ? parser.put(buffer_.data(), error) : 0;
    buffer_.consume(used);
    body_bytes_ += static_cast<int64_t>(used);
    if (!hold.Grow(static_cast<int64_t>(used))) co_return RefuseFull(out);
    if (error == http::error::body_limit) {
      co_return RefuseLarge(limits_.max_body, out);
    }
    if (error && error != http::error::need_more) {
      co_return Refuse(HeadFault{400, "The body's framing is malformed."}, out);
    }
    if (parser.is_done() || (used > 0 && !error && buffer_.size() > 0)) {
      continue;
    }
    // Beast takes chunk extensions and trailers only whole, and would wait for
    // their end however long they grow.
    if (buffer_.size() > limits_.max_header_bytes) {
      co_return Refuse(
          HeadFault{400, "A chunk's extension or the trailers are too long."},
          out);
    }
    if (!co_await ReadMore()) co_return false;
    hooks_.on_progress(Stage::kBody);
  }
  co_return true;
}

Task<RequestReader::Result> RequestReader::Next() {
  Result out;
  SetStage(Stage::kIdle);
  const size_t head = co_await ReadHead(&out);
  if (head == 0) co_return out;
  HeadFacts facts;
  const HeadFault fault =
      CheckHead(View(buffer_).substr(0, head),
                {limits_.max_header_bytes, limits_.max_headers}, &facts);
  if (!fault.ok()) {
    Refuse(fault, &out);
    co_return out;
  }
  if (facts.content_length > limits_.max_body) {
    RefuseLarge(limits_.max_body, &out);
    co_return out;
  }
  Parser parser;
  parser.eager(true);
  parser.header_limit(static_cast<uint32_t>(limits_.max_header_bytes + 1));
  parser.body_limit(static_cast<uint64_t>(limits_.max_body));
  Error error;
  // The head alone: what its trailers may add later is not among the headers.
  const size_t used =
      parser.put(boost::asio::buffer(buffer_.data(), head), error);
  buffer_.consume(used);
  if ((error && error != http::error::need_more) || !parser.is_header_done()) {
    Refuse(HeadFault{400, "The head is malformed."}, &out);
    co_return out;
  }
  out.request = RequestOf(parser.get());
  std::string owner;
  if (!MayRead(facts, &owner, &out)) co_return out;
  body_bytes_ = 0;
  SetStage(Stage::kBody);
  if (facts.expects_continue && buffer_.size() == 0 && !parser.is_done()) {
    hooks_.send_continue();
  }
  const auto body =
      std::make_shared<HeldBody>(limits_.bodies, std::move(owner));
  if (!co_await ReadBody(parser, body->hold, &out)) co_return out;
  // The answer may take minutes, in which nothing is read.
  if (buffer_.size() == 0) buffer_.shrink_to_fit();
  body->text = std::move(parser.get().body());
  out.request.body =
      std::shared_ptr<const std::string>(body, &std::as_const(body->text));
  out.kind = Result::Kind::kRequest;
  co_return out;
}

}  // namespace llm::server
