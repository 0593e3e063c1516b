// The simulator as the providers of a test, on a thread of its own. Lanes are
// providers; see tests/simulator/README.md for scripts and the log.
//
// Threads: Any.
#ifndef LLM_TESTS_INTEGRATION_UPSTREAM_H_
#define LLM_TESTS_INTEGRATION_UPSTREAM_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include "tests/simulator/sim_server.h"

namespace llm {

class Upstream {
 public:
  explicit Upstream(simulator::DefaultAnswer answer = {});
  ~Upstream();
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  // What a lane answers from now on; JSON. False: refused.
  bool Script(std::string_view lane, std::string_view script);
  // How many of a lane's requests came to this outcome.
  int Count(std::string_view lane, std::string_view outcome);
  // Waits for that; false when it did not come within a time that no healthy
  // run needs.
  bool WaitForCount(std::string_view lane, std::string_view outcome, int count);

  std::string BaseUrl(std::string_view lane) const;

 private:
  simulator::SimServer server_;
  const uint16_t port_;
  std::thread thread_;
};

// A script that sends a stream's first content and then holds still until the
// client leaves. For one request.
std::string StalledStream();

}  // namespace llm

#endif  // LLM_TESTS_INTEGRATION_UPSTREAM_H_
