// The prober on one of the loops, from now until Stop.
//
// Threads:   Made and stopped on the main thread; runs on the loop.
// Ownership: Everything passed in outlives it. The loop runs from before it is
//            made until after Stop.
#ifndef LLM_SERVER_PROBE_RUNNER_H_
#define LLM_SERVER_PROBE_RUNNER_H_

#include <future>
#include <memory>
#include <vector>

#include "adapters/core/clock.h"
#include "adapters/core/random.h"
#include "router/health_board.h"
#include "router/prober.h"

namespace llm::server {

class EventLoop;
class Gateway;

class ProbeRunner {
 public:
  ProbeRunner(EventLoop& loop, Gateway& gateway, HealthBoard& health,
              const Clock& clock, Random& random);
  ~ProbeRunner();
  ProbeRunner(const ProbeRunner&) = delete;
  ProbeRunner& operator=(const ProbeRunner&) = delete;

  // Ends a look that is under way, and returns when nothing of it runs any
  // more. Once is enough.
  void Stop();
  // Any thread, also while the prober runs.
  std::vector<ProbeCount> Counts() const;

 private:
  struct Running;
  EventLoop& loop_;
  // Shared with what runs on the loop.
  std::shared_ptr<Running> running_;
  std::future<void> ended_;
  bool stopped_ = false;
};

}  // namespace llm::server

#endif  // LLM_SERVER_PROBE_RUNNER_H_
