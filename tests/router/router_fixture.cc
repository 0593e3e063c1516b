#include "tests/router/router_fixture.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <optional>
#include <stdexcept>
#include <utility>

namespace llm {
namespace {

class CountedReservation : public Reservation {
 public:
  explicit CountedReservation(CountingAdmission& owner) : owner_(owner) {}
  void Settle(const RequestRecord& record) override {
    ++owner_.settled;
    owner_.last = record;
  }

 private:
  CountingAdmission& owner_;
};

}  // namespace

Task<absl::StatusOr<std::unique_ptr<Reservation>>> CountingAdmission::Admit(
    const CallIdentity&, const WorstCase& worst_case) {
  worst = worst_case;
  if (!answer.ok()) co_return answer;
  ++admitted;
  std::unique_ptr<Reservation> held =
      std::make_unique<CountedReservation>(*this);
  co_return held;
}

std::optional<Instant> BackAt(const HealthBoard& board,
                              std::string_view deployment, Instant now) {
  const HealthView view = board.View({deployment, "", {}}, now);
  return view.ready() ? std::nullopt : std::optional<Instant>(view.back_at);
}

std::optional<Instant> KeysBackAt(const HealthBoard& board,
                                  std::string_view provider,
                                  absl::Span<const ApiKey> keys, Instant now) {
  const HealthView view = board.View({"unknown", provider, keys}, now);
  return view.ready() ? std::nullopt : std::optional<Instant>(view.back_at);
}

HealthState StateOf(const HealthBoard& board, std::string_view deployment,
                    Instant now) {
  return board.View({deployment, "", {}}, now).state;
}

Deployment MakeDeployment(std::string provider, std::string upstream) {
  Deployment deployment;
  deployment.id = provider + "/" + upstream;
  deployment.provider.value = std::move(provider);
  deployment.upstream_model.value = std::move(upstream);
  return deployment;
}

void AddModel(RouteTable* table, std::string id,
              std::vector<Deployment> deployments) {
  PublicModel model;
  model.id.value = id;
  model.deployments = std::move(deployments);
  table->model_order.push_back(id);
  table->models[id] = std::move(model);
}

RouteTable TestTable() {
  RouteTable table;
  table.version = "v1";
  for (const char* id : {"a", "b"}) {
    ProviderSettings settings;
    settings.id.value = id;
    settings.price_provider = id;
    settings.api_keys.emplace_back(std::string(id) + "-key-0");
    table.providers[id] = settings;
  }
  AddModel(&table, "alpha", {MakeDeployment("a", "alpha-up")});
  AddModel(&table, "beta", {MakeDeployment("b", "beta-up")});
  AddModel(&table, "twin",
           {MakeDeployment("a", "twin-a"), MakeDeployment("b", "twin-b")});
  table.model_aliases["first"] = "alpha";
  TaskRoute general;
  general.id = "general";
  general.primary = {ModelId{"alpha"}};
  general.fallback = {ModelId{"beta"}};
  table.tasks["general"] = general;
  return table;
}

v1::ChatCompletionRequest Ask(std::string model, std::string text) {
  v1::ChatCompletionRequest request;
  request.set_model(std::move(model));
  v1::Message* message = request.add_messages();
  message->set_role("user");
  message->add_parts()->mutable_text()->set_text(std::move(text));
  return request;
}

RouterFixture::RouterFixture(RouteTable table, int64_t cache_bytes)
    : conversations(MakeMemoryConversationState(clock, 100, absl::Hours(1))),
      turns(MakeTurnMemory(clock, {})) {
  RouterParts parts;
  parts.table = std::make_shared<const RouteTable>(std::move(table));
  auto first = std::make_unique<ScriptedProvider>(clock);
  auto second = std::make_unique<ScriptedProvider>(clock);
  a = first.get();
  b = second.get();
  parts.providers["a"] = std::move(first);
  parts.providers["b"] = std::move(second);
  parts.clock = &clock;
  parts.random = &random;
  parts.ledger = &ledger;
  parts.admission = &admission;
  parts.observer = &observer;
  parts.health = &health;
  parts.conversations = conversations.get();
  parts.turns = turns.get();
  if (cache_bytes > 0) {
    embeddings = std::make_unique<EmbeddingCache>(
        clock, EmbeddingCache::Limits{cache_bytes, absl::Hours(24)});
  }
  parts.embeddings = embeddings.get();
  router = std::make_unique<Router>(std::move(parts));
  context.call_id.value = "0192aaaa-0000-7000-8000-000000000001";
  context.caller.tenant = "key_1";
  context.door = "http";
  context.received = clock.Monotonic();
  context.received_wall = clock.WallNow();
}

CallResult RouterFixture::Unary(const v1::ChatCompletionRequest& message) {
  const ChatRequest request{message, {}};
  context.received = clock.Monotonic();
  return RunTask(io, clock, router->Chat(context, request, nullptr));
}

EmbedCallResult RouterFixture::Embed(
    const v1::CreateEmbeddingsRequest& request) {
  context.received = clock.Monotonic();
  return RunTask(io, clock, router->Embed(context, request));
}

CallResult RouterFixture::Stream(const v1::ChatCompletionRequest& message,
                                 RecordingSink& sink) {
  const ChatRequest request{message, {}};
  context.received = clock.Monotonic();
  return RunTask(io, clock, router->Chat(context, request, &sink));
}

CallResult RouterFixture::Cancelled(const v1::ChatCompletionRequest& message,
                                    ChunkSink* sink,
                                    const std::function<bool()>& when) {
  const ChatRequest request{message, {}};
  context.received = clock.Monotonic();
  boost::asio::cancellation_signal leave;
  std::optional<CallResult> result;
  boost::asio::co_spawn(
      io, router->Chat(context, request, sink),
      boost::asio::bind_cancellation_slot(
          leave.slot(), [&result](std::exception_ptr error, CallResult value) {
            if (error) std::rethrow_exception(error);
            result = std::move(value);
          }));
  bool left = false;
  while (!result) {
    io.restart();
    if (io.poll_one() > 0) continue;
    if (!left && when()) {
      left = true;
      leave.emit(boost::asio::cancellation_type::terminal);
    } else if (!clock.AdvanceToNextSleeper()) {
      throw std::logic_error("the call waits for something that cannot come");
    }
  }
  return *std::move(result);
}

}  // namespace llm
