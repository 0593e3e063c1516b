// Turns of the assistant as their maker wrote them, by the ids of their tool
// calls.
//
// Many clients send a turn back without its reasoning, signatures and opaque
// parts (LangChain's ChatOpenAI drops `reasoning_content`), and the models
// that made them refuse the conversation then. Only turns that call tools are
// kept: only those must come back whole.
//
// Threads: Any event loop.
// Bounds:  Bytes in all, bytes of one tenant, bytes of one turn, and age;
//          forgetting is always allowed. In memory only: a turn holds what a
//          model thought, which is never stored.
// Tenants: The tenant is part of every lookup, so no caller can reach
//          another's turns.
#ifndef LLM_ROUTER_TURN_MEMORY_H_
#define LLM_ROUTER_TURN_MEMORY_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "adapters/core/clock.h"
#include "llm/v1/chat.pb.h"

namespace llm {

class TurnMemory {
 public:
  virtual ~TurnMemory() = default;
  // Keeps `turn` under each of `call_ids`. An id that was kept with another
  // turn brings back neither: it tells no conversation from another.
  virtual void Keep(std::string_view tenant,
                    const std::vector<std::string>& call_ids,
                    v1::Message turn) = 0;
  // Null where nothing is kept.
  virtual std::shared_ptr<const v1::Message> Find(std::string_view tenant,
                                                  std::string_view call_id) = 0;
};

struct TurnMemoryLimits {
  size_t max_bytes = size_t{64} << 20;
  // No tenant can push out more than this of the others' turns.
  size_t max_tenant_bytes = size_t{16} << 20;
  size_t max_turn_bytes = size_t{256} << 10;
  // Since it was last used: longer than the longest tool.
  absl::Duration max_age = absl::Hours(1);
};

std::unique_ptr<TurnMemory> MakeTurnMemory(const Clock& clock,
                                           TurnMemoryLimits limits);

}  // namespace llm

#endif  // LLM_ROUTER_TURN_MEMORY_H_
