// Which of a call's attempts reaches the caller. There is at most one; it is
// decided once and never taken back.
//
// Threads: The call's event loop.
#ifndef LLM_ROUTER_COMMIT_GATE_H_
#define LLM_ROUTER_COMMIT_GATE_H_

#include <optional>

namespace llm {

class CommitGate {
 public:
  // True if `attempt` (its ordinal) may write to the caller: it is the first
  // to ask, or it has won before.
  bool TryCommit(int attempt) {
    if (!winner_) winner_ = attempt;
    return *winner_ == attempt;
  }
  bool committed() const { return winner_.has_value(); }
  bool LostBy(int attempt) const { return winner_ && *winner_ != attempt; }

 private:
  std::optional<int> winner_;
};

}  // namespace llm

#endif  // LLM_ROUTER_COMMIT_GATE_H_
