// What `llm-service serve` hands over to.
#ifndef LLM_SERVER_CLI_SERVE_H_
#define LLM_SERVER_CLI_SERVE_H_

#include <string>

namespace llm::server {

struct ServeOptions {
  // Empty: no file; the environment and defaults decide.
  std::string config_file;
};

// Runs the service until SIGTERM; the exit code of the program: 0 after a
// drain, 2 for a faulty configuration (faults on stderr), 1 otherwise.
int Serve(const ServeOptions& options);

}  // namespace llm::server

#endif  // LLM_SERVER_CLI_SERVE_H_
