// What must be remembered between the calls of one conversation, keyed by
// tenant so that no caller can reach another's: which deployment it sticks
// to. What clients drop of their turns is turn_memory.h's.
//
// Threads: Any event loop.
// Bounds:  Implementations are bounded in entries, in age and in the size of
//          an entry, whatever callers send; forgetting is always allowed.
#ifndef LLM_ROUTER_CONVERSATION_STATE_H_
#define LLM_ROUTER_CONVERSATION_STATE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "adapters/core/clock.h"

namespace llm {

class ConversationState {
 public:
  virtual ~ConversationState() = default;
  // `tenant` is the key id, or a constant where auth is off; it is part of
  // every lookup. `thread` is a run and agent, or a tool-call id.
  virtual void Remember(std::string_view tenant, std::string_view thread,
                        std::string_view deployment) = 0;
  virtual std::optional<std::string> Deployment(std::string_view tenant,
                                                std::string_view thread) = 0;
};

// In this process's memory: at most `max_entries`, each for `max_age` since
// it was last used. The least recently used entry goes first.
std::unique_ptr<ConversationState> MakeMemoryConversationState(
    const Clock& clock, size_t max_entries, absl::Duration max_age);

}  // namespace llm

#endif  // LLM_ROUTER_CONVERSATION_STATE_H_
