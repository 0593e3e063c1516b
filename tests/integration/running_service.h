// The service without its gRPC door, wired as in production, on two loops and
// free ports, over a store of the test's.
//
// Threads: The object on the main thread; its ports may be called from any.
#ifndef LLM_TESTS_INTEGRATION_RUNNING_SERVICE_H_
#define LLM_TESTS_INTEGRATION_RUNNING_SERVICE_H_

#include <spdlog/logger.h>

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/http_stack.h"
#include "tests/integration/upstream.h"
#include "tests/support/temp_dir.h"

namespace llm {

inline constexpr std::string_view kAdminKey = "admin-secret";

struct ServiceOptions {
  std::string store;  // path
  std::string drain = "30s";
  // A price of the model "main", to tell configurations apart.
  std::string price = "1";
};

// Model "main" is answered by lane good, "broken" by lane bad; task general
// (model auto) asks broken first, then main.
std::shared_ptr<const server::Config> MakeConfig(const Upstream& upstream,
                                                 const ServiceOptions& options);

class RunningService {
 public:
  RunningService(const Upstream& upstream, const ServiceOptions& options);
  ~RunningService();
  RunningService(const RunningService&) = delete;
  RunningService& operator=(const RunningService&) = delete;

  server::HttpStack& stack() { return *stack_; }
  uint16_t port() const { return stack_->http_port(); }
  uint16_t admin_port() const { return stack_->admin_port(); }
  uint16_t metrics_port() const { return stack_->metrics_port(); }

  // Drains and closes the store, once.
  absl::Status Stop();
  // Request lines written so far; after Stop.
  size_t logged() const;

 private:
  class LineCounter;
  std::shared_ptr<LineCounter> lines_;
  spdlog::logger logger_;
  std::unique_ptr<server::HttpStack> stack_;
  bool stopped_ = false;
};

struct NewKey {
  std::string id;
  std::string secret;  // empty: refused
};
NewKey MakeKey(uint16_t admin_port);
// The status of the answer.
int RevokeKey(uint16_t admin_port, const std::string& id);

// The ids of a closed store's request rows with this outcome.
std::multiset<std::string> RequestRows(const std::string& store,
                                       std::string_view outcome);
// A number from a closed store.
int64_t QueryStore(const std::string& store, const std::string& sql);

}  // namespace llm

#endif  // LLM_TESTS_INTEGRATION_RUNNING_SERVICE_H_
