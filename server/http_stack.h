// Every object of a running service but the gRPC door, wired. ServeStack puts
// that door beside it; the tests that run without gRPC use it as it is.
// Nothing is global: everything is made here and passed in.
//
// Threads:   All methods on the main thread. The loops run on their own.
// Ownership: The stack owns all, in order of dependency, so that each object
//            outlives what uses it. Lanes live as long as the stack.
// Errors:    Start: the first thing that cannot be had (address, store, TLS
//            file), named.
#ifndef LLM_SERVER_HTTP_STACK_H_
#define LLM_SERVER_HTTP_STACK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "adapters/core/clock.h"
#include "server/config/config.h"
#include "server/metrics/metrics_hub.h"

namespace spdlog {
class logger;
}

namespace llm::server {

class EventLoop;
class Gateway;
class SideThread;

// A loop and what answers on it, for another door.
struct StackLane {
  EventLoop* loop = nullptr;
  Gateway* gateway = nullptr;
};

class HttpStack {
 public:
  // Serves HTTP when this returns, but is not ready before SetReady. One line
  // per request goes to `request_log`, which outlives the stack.
  static absl::StatusOr<std::unique_ptr<HttpStack>> Start(
      std::shared_ptr<const Config> config, BuildInfo build,
      spdlog::logger& request_log);
  // Cuts what still runs. Other doors on its lanes are shut down before.
  ~HttpStack();
  HttpStack(const HttpStack&) = delete;
  HttpStack& operator=(const HttpStack&) = delete;

  // What /readyz says from now on.
  void SetReady();

  uint16_t http_port() const;
  uint16_t admin_port() const;
  uint16_t metrics_port() const;
  std::vector<StackLane> lanes() const;
  const Clock& clock() const;
  SideThread& reader() const;
  const Config& config() const;
  // What server.max_body_memory comes to on this machine.
  int64_t body_memory() const;

  // New calls use `config` from now on, calls in flight finish on theirs. All
  // or nothing. Listeners, workers, limits, store and the mode of auth
  // change with a restart only; the result names those that differ.
  absl::StatusOr<std::vector<std::string>> Reload(
      std::shared_ptr<const Config> config);

  // The end, in this order. Readiness fails;
  void BeginDrain();
  // calls are still taken for a moment (a third of the drain time, at most
  // 1 s), so that balancers hear of it from /readyz and move on, and are
  // refused with 503 for half as long, for those that did not;
  void AwaitGrace();
  // calls in flight have the rest of the drain time, or until Hurry. False
  // where some would not end: then the stack must not be destroyed;
  bool CloseDoors();
  // calls that only an Idempotency-Key keeps going are cut. False as above;
  bool EndLoneCalls();
  void Hurry();                      // from any thread
  absl::Duration DrainLeft() const;  // what that is
  // loops end, and what was recorded is stored. Returns how the store closed.
  absl::Status Finish();

 private:
  class Parts;
  explicit HttpStack(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_STACK_H_
