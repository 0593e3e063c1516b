// Every object of a running service, wired: the HTTP stack and the gRPC door
// beside it. Nothing is global; everything is made here and passed in.
//
// Threads:   Start, Reload and Drain on the main thread. The loops run on
//            their own.
// Ownership: The stack owns all; members are in order of dependency, so that
//            each outlives what uses it.
// Errors:    Start: the first thing that cannot be had (address, store, TLS
//            file), named.
#ifndef LLM_SERVER_SERVE_STACK_H_
#define LLM_SERVER_SERVE_STACK_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/config/config.h"
#include "server/metrics/metrics_hub.h"

namespace spdlog {
class logger;
}

namespace llm::server {

class ServeStack {
 public:
  // Listens and serves when this returns. One line per request goes to
  // `request_log`, which outlives the stack.
  static absl::StatusOr<std::unique_ptr<ServeStack>> Start(
      std::shared_ptr<const Config> config, BuildInfo build,
      spdlog::logger& request_log);
  ~ServeStack();
  ServeStack(const ServeStack&) = delete;
  ServeStack& operator=(const ServeStack&) = delete;

  // "http=127.0.0.1:8004 grpc=… admin_http=… admin_grpc=… metrics=…"
  std::string Addresses() const;

  // New calls use `config` from now on, calls in flight finish on theirs. All
  // or nothing. Listeners, workers, limits, store and the mode of auth
  // change with a restart only; the result names those that differ.
  absl::StatusOr<std::vector<std::string>> Reload(
      std::shared_ptr<const Config> config);

  // Readiness fails at once and new calls are refused; a moment later the
  // doors close. Calls in flight have the configured drain time, counted from
  // now; then everything that was recorded is stored.
  // Returns how the store closed.
  absl::Status Drain();
  // From any thread: calls in flight have no more time to end.
  void HurryDrain();
  // After Drain: whose calls would not end ("the HTTP door"). Where there are
  // any, the stack must not be destroyed: they may still use it.
  const std::vector<std::string>& stuck() const;

 private:
  class Parts;
  explicit ServeStack(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_SERVE_STACK_H_
