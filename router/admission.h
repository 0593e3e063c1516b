// The gate before anything is sent: limits and budgets reserve here at worst
// case, and settle exactly once when the call ends.
//
// Threads: Any event loop.
// Errors:  kResourceExhausted with an llm.v1.UpstreamError payload
//          (rate_limited, budget_exceeded, overloaded).
#ifndef LLM_ROUTER_ADMISSION_H_
#define LLM_ROUTER_ADMISSION_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/core/money.h"
#include "adapters/core/task.h"
#include "router/usage_ledger.h"

namespace llm {

// What the call may cost at most, per currency; empty: unknown price.
struct WorstCase {
  std::vector<Money> cost;
  int64_t input_tokens = 0;
  int64_t output_tokens = 0;
};

// A held reservation. Destroying it without Settle releases it in full.
class Reservation {
 public:
  virtual ~Reservation() = default;
  // Once. Replaces the worst case by what was really spent.
  virtual void Settle(const RequestRecord& record) = 0;
};

class Admission {
 public:
  virtual ~Admission() = default;
  virtual Task<absl::StatusOr<std::unique_ptr<Reservation>>> Admit(
      const CallIdentity& call, const WorstCase& worst_case) = 0;
};

// Admits everything: the default until limits are configured.
std::unique_ptr<Admission> MakeOpenAdmission();

}  // namespace llm

#endif  // LLM_ROUTER_ADMISSION_H_
