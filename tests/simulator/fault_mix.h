// Faults that strike a share of a lane's requests, the same ones for the same
// seed: what a provider with a bad day looks like from outside.
//
// Threads: One.
#ifndef LLM_TESTS_SIMULATOR_FAULT_MIX_H_
#define LLM_TESTS_SIMULATOR_FAULT_MIX_H_

#include <optional>
#include <random>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/simulator/sim_script.h"

namespace llm::simulator {

class FaultMix {
 public:
  // From {"rate": 0.05, "seed": 7, "faults": [SCRIPT, …]}: each request is
  // struck with probability `rate`, by one of the scripts with equal chances
  // (their `times` mean nothing here). kInvalidArgument names the fault.
  static absl::StatusOr<FaultMix> Parse(std::string_view json);

  // The fault of the next request; nullopt: it is spared.
  std::optional<Script> Next();

 private:
  FaultMix() = default;

  double rate_ = 0;
  std::mt19937_64 random_;
  std::vector<Script> faults_;
};

}  // namespace llm::simulator

#endif  // LLM_TESTS_SIMULATOR_FAULT_MIX_H_
