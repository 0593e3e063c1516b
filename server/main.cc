// The program: wiring only. serve.cc runs the service, serve_stack.cc makes
// its objects, cli/ reads the command line.
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "adapters/registry.h"
#include "server/cli/cli.h"
#include "server/cli/serve.h"

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    return llm::server::RunCli(
        arguments,
        llm::server::ProcessHost(llm::BuiltInProviders(), llm::server::Serve));
  } catch (const std::exception& error) {
    std::cerr << "llm-service: " << error.what() << "\n";
    return 1;
  }
}
