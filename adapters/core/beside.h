// Work that would hold an event loop up, done on a thread beside it.
//
// Threads:   Run on a loop; `work` runs on another thread, or not at all.
// Ownership: `work` owns, or shares, all it touches: a task that is destroyed
//            or cancelled while it waits does not wait for it.
// Errors:    kUnavailable where nobody takes the work, kCancelled where the
//            task was cancelled first; the work may still run then.
#ifndef LLM_ADAPTERS_CORE_BESIDE_H_
#define LLM_ADAPTERS_CORE_BESIDE_H_

#include <functional>

#include "absl/status/status.h"
#include "adapters/core/task.h"

namespace llm {

class Beside {
 public:
  virtual ~Beside() = default;
  virtual Task<absl::Status> Run(std::function<void()> work) = 0;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_CORE_BESIDE_H_
