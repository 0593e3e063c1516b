// A router with scripted providers around it.
//
// Models: "alpha" (a/alpha-up) and "beta" (b/beta-up), "twin" (served by a
// and b, in that order). Tasks: general = alpha, then beta.
#ifndef LLM_TESTS_ROUTER_ROUTER_FIXTURE_H_
#define LLM_TESTS_ROUTER_ROUTER_FIXTURE_H_

#include <boost/asio/cancellation_signal.hpp>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "router/call_error.h"
#include "router/router.h"
#include "tests/support/fake_clock.h"
#include "tests/support/memory_ledger.h"
#include "tests/support/recording_observer.h"
#include "tests/support/recording_sink.h"
#include "tests/support/run_task.h"
#include "tests/support/scripted_provider.h"

namespace llm {

class SeededRandom : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : bits_(seed) {}
  uint64_t Bits() override { return bits_(); }

 private:
  std::mt19937_64 bits_;
};

// Counts reservations and settlements.
class CountingAdmission : public Admission {
 public:
  Task<absl::StatusOr<std::unique_ptr<Reservation>>> Admit(
      const CallIdentity& call, const WorstCase& worst_case) override;

  absl::Status answer;
  WorstCase worst;
  int admitted = 0;
  int settled = 0;
  RequestRecord last;
};

// The same bits every time: jitter is 3/4 of the full backoff.
class FixedRandom : public Random {
 public:
  uint64_t Bits() override { return uint64_t{1} << 63; }
};

// When a deployment may be asked again; nullopt: now.
std::optional<Instant> BackAt(const HealthBoard& board,
                              std::string_view deployment, Instant now);
// The same of the keys of a provider.
std::optional<Instant> KeysBackAt(const HealthBoard& board,
                                  std::string_view provider,
                                  absl::Span<const ApiKey> keys, Instant now);

HealthState StateOf(const HealthBoard& board, std::string_view deployment,
                    Instant now);

RouteTable TestTable();
Deployment MakeDeployment(std::string provider, std::string upstream);
void AddModel(RouteTable* table, std::string id,
              std::vector<Deployment> deployments);
v1::ChatCompletionRequest Ask(std::string model, std::string text);

// The contract's code of a call that failed.
inline std::string CodeOf(const CallResult& result) {
  return CallErrorDetail(result.status).code();
}

struct RouterFixture {
  RouterFixture() : RouterFixture(TestTable()) {}
  // `cache_bytes` 0: no embeddings are remembered.
  explicit RouterFixture(RouteTable table, int64_t cache_bytes = 0);

  // Runs one call; the fake clock moves on whenever everything waits.
  CallResult Unary(const v1::ChatCompletionRequest& message);
  CallResult Stream(const v1::ChatCompletionRequest& message,
                    RecordingSink& sink);
  EmbedCallResult Embed(const v1::CreateEmbeddingsRequest& request);
  // Starts a call, and cancels it once `when` (called whenever nothing else
  // can run) says so.
  CallResult Cancelled(const v1::ChatCompletionRequest& message,
                       ChunkSink* sink, const std::function<bool()>& when);

  boost::asio::io_context io;
  FakeClock clock;
  FixedRandom random;
  MemoryLedger ledger;
  CountingAdmission admission;
  RecordingObserver observer;
  HealthBoard health;
  std::unique_ptr<ConversationState> conversations;
  std::unique_ptr<TurnMemory> turns;
  std::unique_ptr<EmbeddingCache> embeddings;
  ScriptedProvider* a = nullptr;
  ScriptedProvider* b = nullptr;
  CallContext context;
  std::unique_ptr<Router> router;
};

}  // namespace llm

#endif  // LLM_TESTS_ROUTER_ROUTER_FIXTURE_H_
