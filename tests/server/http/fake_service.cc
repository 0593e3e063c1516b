#include "tests/server/http/fake_service.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <boost/asio/this_coro.hpp>
#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"

namespace llm::server {
namespace asio = boost::asio;

Task<EmbedCallResult> FakeService::Embed(
    const CallContext& context, const v1::CreateEmbeddingsRequest& request) {
  {
    const MutexLock lock(mutex_);
    context_ = context;
    embed_ = request;
  }
  EmbedCallResult result;
  result.info.set_request_id(context.call_id.value);
  result.info.set_model(request.model());
  result.info.set_provider("fake");
  result.info.set_attempts(1);
  if (request.model() == "bad") {
    result.status = RefuseCall(absl::StatusCode::kNotFound, "model_not_found",
                               "no such model", "model");
    co_return result;
  }
  v1::CreateEmbeddingsResponse& response = result.response.emplace();
  response.set_model(request.model());
  for (const std::string& text : request.input()) {
    v1::Embedding& one = *response.add_data();
    one.set_index(response.data_size() - 1);
    one.add_embedding(static_cast<float>(text.size()));
    one.add_embedding(0.5F);
  }
  response.mutable_usage()->set_prompt_tokens(3);
  response.mutable_usage()->set_total_tokens(3);
  *response.mutable_llm_service() = result.info;
  co_return result;
}

absl::StatusOr<RoutePlan> FakeService::Explain(const CallContext&,
                                               const ChatRequest&) const {
  RoutePlan plan;
  plan.config_version = "v1";
  plan.task_type = "general";
  plan.task_source = "default";
  plan.reason = "first of general";
  auto model = std::make_shared<PublicModel>();
  model->id = ModelId{"m"};
  Deployment& deployment = model->deployments.emplace_back();
  deployment.id = "p/m-up";
  deployment.provider = ProviderId{"p"};
  deployment.upstream_model = ModelId{"m-up"};
  plan.ad_hoc = model;
  RouteTarget target;
  target.model = model.get();
  target.deployment = &deployment;
  target.by = ChosenBy::kPrimary;
  plan.targets.push_back(target);
  plan.excluded.push_back("x: no tools");
  return plan;
}

v1::ListModelsResponse FakeService::ListModels(const Caller&) const {
  v1::ListModelsResponse models;
  models.set_object("list");
  models.add_data()->set_id("org/model:tag");
  return models;
}

absl::StatusOr<v1::Model> FakeService::GetModel(const Caller&,
                                                std::string_view id) const {
  if (id != "org/model:tag") {
    return RefuseCall(absl::StatusCode::kNotFound, "model_not_found",
                      "no such model", "model");
  }
  v1::Model model;
  model.set_id(std::string(id));
  return model;
}

Task<absl::StatusOr<v1::GetUsageResponse>> FakeService::GetUsage(
    const Caller&, const v1::GetUsageRequest&) {
  v1::GetUsageResponse usage;
  usage.mutable_total()->set_cost("0.350000");
  usage.set_currency("USD");
  co_return usage;
}

Task<absl::StatusOr<v1::CreateKeyResponse>> FakeService::CreateKey(
    const v1::CreateKeyRequest& request) {
  {
    const MutexLock lock(mutex_);
    create_ = request;
  }
  v1::CreateKeyResponse created;
  created.mutable_key()->set_id("key_1");
  created.set_secret("sk-test");
  co_return created;
}

Task<absl::StatusOr<v1::ListKeysResponse>> FakeService::ListKeys(
    const v1::ListKeysRequest& request) {
  v1::ListKeysResponse keys;
  keys.add_keys()->set_id(request.include_revoked() ? "all" : "live");
  co_return keys;
}

Task<absl::StatusOr<v1::RevokeKeyResponse>> FakeService::RevokeKey(
    const v1::RevokeKeyRequest& request) {
  {
    const MutexLock lock(mutex_);
    revoked_ = request.id();
  }
  v1::RevokeKeyResponse revoked;
  revoked.mutable_key()->set_id(request.id());
  co_return revoked;
}

v1::ListProvidersResponse FakeService::ListProviders() const {
  v1::ListProvidersResponse list;
  v1::ProviderInfo* info = list.add_providers();
  info->set_id("acme");
  info->set_dialect("openai");
  return list;
}

Task<absl::StatusOr<v1::TestProviderResponse>> FakeService::TestProvider(
    const v1::TestProviderRequest& request) {
  v1::TestProviderResponse tested;
  tested.set_provider(request.id());
  tested.set_model(request.model());
  v1::ProviderCheck* check = tested.add_checks();
  check->set_name("chat");
  check->set_outcome("failed");
  check->set_message("no");
  co_return tested;
}

CallResult WholeAnswer(std::string_view text) {
  CallResult result;
  result.response.emplace();
  result.response->set_id("chatcmpl-1");
  v1::Choice* choice = result.response->add_choices();
  choice->mutable_message()->set_role("assistant");
  choice->mutable_message()->add_parts()->mutable_text()->set_text(
      std::string(text));
  choice->set_finish_reason("stop");
  result.info.set_model("m");
  result.info.set_provider("p");
  result.info.set_attempts(1);
  return result;
}

v1::ChatCompletionChunk TextChunk(std::string_view text) {
  v1::ChatCompletionChunk chunk;
  chunk.set_model("m");
  v1::ChunkChoice* choice = chunk.add_choices();
  choice->mutable_delta()->add_parts()->mutable_text()->set_text(
      std::string(text));
  return chunk;
}

v1::ChatCompletionChunk LastChunk() {
  v1::ChatCompletionChunk chunk;
  chunk.add_choices()->set_finish_reason("stop");
  chunk.mutable_llm_service()->set_provider("p");
  return chunk;
}

Task<void> UntilCancelled() {
  asio::steady_timer timer(co_await asio::this_coro::executor,
                           asio::steady_timer::time_point::max());
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

Task<CallResult> Echo(const CallContext&, const ChatRequest& request,
                      ChunkSink*) {
  co_return WholeAnswer("<" + request.message.agent() + ">");
}

HttpServerOptions Quick() {
  HttpServerOptions options;
  options.limits.sweep = absl::Milliseconds(5);
  return options;
}

RunningServer::RunningServer(FakeService& service, HttpServerOptions options,
                             int loops) {
  std::vector<HttpLoop> on;
  for (int i = 0; i < loops; ++i) {
    loops_.push_back(std::make_unique<EventLoop>(i));
    on.push_back({&loops_.back()->context(), &service});
  }
  if (options.listener.address.empty()) {
    options.listener.address = "127.0.0.1:0";
  }
  server_ = std::make_unique<HttpServer>(std::move(options), on);
  const absl::Status started = server_->Start();
  INFO(started.ToString());
  REQUIRE(started.ok());
  for (auto& loop : loops_) loop->Start();
}

RunningServer::~RunningServer() {
  server_->Shutdown(absl::ZeroDuration());
  for (auto& loop : loops_) loop->Stop();
  for (auto& loop : loops_) loop->Join();
  server_.reset();
}

RawClient::RawClient(uint16_t port) {
  fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
  // Only a server that hangs lets this run out.
  const timeval limit{20, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(fd_, reinterpret_cast<const sockaddr*>(&address),
                    sizeof address) == 0);
}

RawClient::~RawClient() {
  if (fd_ >= 0) ::close(fd_);
}

void RawClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

void RawClient::FinishSending() { ::shutdown(fd_, SHUT_WR); }

void RawClient::Reset() {
  const linger hard{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  ::close(fd_);
  fd_ = -1;
}

bool RawClient::ReadSome() {
  char buffer[16384];
  const ssize_t count = ::recv(fd_, buffer, sizeof buffer, 0);
  if (count <= 0) {
    closed_ = true;
    return false;
  }
  seen_.append(buffer, static_cast<size_t>(count));
  return true;
}

std::string RawClient::ReadUntil(std::string_view text) {
  while (seen_.find(text) == std::string::npos && ReadSome()) {
  }
  const size_t at = seen_.find(text);
  const size_t end = at == std::string::npos ? seen_.size() : at + text.size();
  std::string out = seen_.substr(0, end);
  seen_.erase(0, end);
  return out;
}

std::string RawClient::ReadAll() {
  while (ReadSome()) {
  }
  return std::exchange(seen_, "");
}

std::string ChatPost(std::string_view members, std::string_view headers,
                     std::string_view path) {
  const std::string body = absl::StrCat(
      R"({"model":"m","messages":[{"role":"user","content":"hi"}])",
      members.empty() ? "" : ",", ToAbsl(members), "}");
  return absl::StrCat("POST ", ToAbsl(path), " HTTP/1.1\r\nHost: x\r\n",
                      ToAbsl(headers), "Content-Length: ", body.size(),
                      "\r\n\r\n", body);
}

int StatusOf(std::string_view bytes) {
  if (!bytes.starts_with("HTTP/1.1 ") || bytes.size() < 12) return 0;
  return std::stoi(std::string(bytes.substr(9, 3)));
}

std::string HeaderOf(std::string_view bytes, std::string_view name) {
  const std::string_view head = bytes.substr(0, bytes.find("\r\n\r\n"));
  const std::string mark = absl::StrCat("\r\n", ToAbsl(name), ": ");
  const size_t at = head.find(mark);
  if (at == std::string_view::npos) return "";
  const std::string_view rest = head.substr(at + mark.size());
  return std::string(rest.substr(0, rest.find("\r\n")));
}

}  // namespace llm::server
