// What recent attempts said about each deployment and key: the one place that
// all loops and configurations share. Deployments are known by
// "provider/upstream".
//
// The parts judge (breaker, rest, latency_mean, quota_watch, key_ring,
// retry_budget); the board finds and locks them: one short lock per look (of
// all candidates at once), entry, and report.
//
// Threads: Any event loop.
#ifndef LLM_ROUTER_HEALTH_BOARD_H_
#define LLM_ROUTER_HEALTH_BOARD_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "adapters/core/clock.h"
#include "adapters/core/failure.h"
#include "adapters/core/ids.h"
#include "adapters/core/mutex.h"
#include "adapters/core/random.h"
#include "router/deployment_health.h"
#include "router/health_view.h"
#include "router/in_flight_board.h"
#include "router/key_ring.h"
#include "router/retry_budget.h"

namespace llm {

class HealthBoard {
 public:
  // One attempt's way in: counted as load while it lives, and the holder of
  // a half-open deployment's trial if there was one. Moves; ends once.
  class Pass {
   public:
    Pass(Pass&& from) noexcept;
    Pass& operator=(Pass&&) = delete;
    ~Pass() { End(); }
    // Index of the key to use; -1: the provider has none.
    int key() const { return key_; }
    bool trial() const { return trial_ != 0; }
    void End();

   private:
    friend class HealthBoard;
    Pass(HealthBoard* board, DeploymentHealth* deployment);
    HealthBoard* board_;
    DeploymentHealth* deployment_;  // null: one too many to remember
    std::string provider_;
    int key_ = -1;
    KeyName key_name_ = 0;
    int keys_ = 0;
    uint64_t trial_ = 0;
    bool key_trial_ = false;
    bool denied_before_ = false;
  };

  struct Entering {
    int same_key = -1;   // this one, while it is usable
    int avoid_key = -1;  // not this one, if there is another
    int64_t tokens = 0;  // about what the request needs
    // The call's first attempt at this deployment, for the retry budget.
    bool first = true;
    // Nobody else is left: an open breaker lets one call at a time through,
    // and refused or moneyless keys are tried. A rest that was asked for and
    // a rate limit still hold.
    bool last_resort = false;
    // The call was told before that another key of it lacks a permission.
    bool denied_before = false;
  };

  // Jitter comes from `random`, which outlives the board; null: none.
  explicit HealthBoard(Random* random = nullptr) : random_(random) {}

  // All `subjects` under one lock; `tokens` as in Entering.
  void Look(absl::Span<const HealthSubject* const> subjects, int64_t tokens,
            Instant now, std::vector<HealthView>* views) const;
  HealthView View(const HealthSubject& subject, Instant now,
                  int64_t tokens = 0) const;
  // Nobody known is out or was when it was last heard of, no key is set
  // aside: who has room may be asked. Cheap, and true nearly always.
  bool AllWell() const;
  // For HealthSubject.hash; the same for the life of the process.
  static size_t HashOf(std::string_view deployment);
  KeyPool Keys(std::string_view provider, absl::Span<const ApiKey> keys,
               Instant now) const;
  // The first key that was refused and has not answered since, for a look.
  std::optional<size_t> RefusedKey(std::string_view provider,
                                   absl::Span<const ApiKey> keys,
                                   Instant now) const;
  // Whether a key other than `avoid` is not set aside.
  bool HasUsableKey(std::string_view provider, absl::Span<const ApiKey> keys,
                    int avoid, Instant now) const;

  // nullopt: it may not be asked now (View says why).
  std::optional<Pass> Enter(const HealthSubject& subject,
                            const Entering& entering, Instant now);
  // Whether the provider's budget allows a repeat on the same deployment.
  bool TakeRepeat(std::string_view provider, Instant now);
  // The attempt has brought its first content.
  void Answering(const Pass& pass, absl::Duration first_content, Instant now);
  // Every attempt reports, not only the first. Cancelled ones do not count.
  // A rate limit is its key's, and the deployment's once all keys are out.
  // `keys`: the provider's, as they were on entry.
  void Report(const Pass& pass, absl::Span<const ApiKey> keys,
              const HealthReport& report);
  // The same, of a deployment or of a key alone.
  void Report(std::string_view deployment, const HealthReport& report);
  void ReportKey(std::string_view provider, const ApiKey& key,
                 const HealthReport& report);

  // A look at the provider saw it up: breakers that opened for a failure such
  // a look can judge let a trial through now, and so does `key` if it had
  // been refused. Down: its deployments without traffic since `idle_since`
  // are marked; traffic alone decides where calls go.
  void SeenUp(absl::Span<const HealthSubject> deployments, const ApiKey* key,
              Instant now);
  void SeenDown(absl::Span<const HealthSubject> deployments,
                Instant idle_since);

  // Attempts under way, for max_in_flight.
  InFlightBoard& in_flight() { return in_flight_; }

 private:
  double Jitter() { return random_ == nullptr ? 0 : random_->Unit(); }
  // No key of any provider is set aside.
  bool AllKeysIn() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  const DeploymentHealth* Find(const HealthSubject& subject) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // After each change of what troubled() says.
  void Recount(DeploymentHealth* deployment)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Makes room among the deployments.
  void Forget(Instant now, bool answered) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Null once too many names are known: callers can name upstream ids that
  // no configuration knows.
  DeploymentHealth* FindOrAdd(std::string_view deployment, Instant now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // When the first of the keys comes back; nullopt if one is usable or none
  // is needed.
  std::optional<KeyOut> KeysOut(std::string_view provider,
                                absl::Span<const ApiKey> keys,
                                Instant now) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddKeys(const HealthSubject& subject, const DeploymentHealth* deployment,
               int64_t tokens, Instant now, HealthView* view) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ChooseKey(const HealthSubject& subject, const Entering& entering,
                 Instant now, Pass* pass) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Leave(Pass& pass);

  Random* const random_;
  InFlightBoard in_flight_;
  mutable Mutex mutex_;
  using Deployments =
      absl::flat_hash_map<std::string, std::unique_ptr<DeploymentHealth>>;
  // Pointers stay valid while an attempt is under way.
  Deployments deployments_ ABSL_GUARDED_BY(mutex_);
  // Of them those that are troubled.
  size_t troubled_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<std::string, KeyRing> rings_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, RetryBudget> budgets_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace llm

#endif  // LLM_ROUTER_HEALTH_BOARD_H_
