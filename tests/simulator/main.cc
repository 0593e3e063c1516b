// llm-simulator: a scripted provider over real HTTP. See README.md beside.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "tests/simulator/sim_server.h"

int main(int argc, char** argv) {
  CLI::App app{"Plays an OpenAI-compatible provider, with faults on command"};
  int port = 0;
  bool no_log = false;
  llm::simulator::DefaultAnswer answer;
  app.add_option("--port", port, "TCP port on 127.0.0.1; 0 picks one");
  app.add_option("--chars", answer.chars, "Characters of a default answer");
  app.add_option("--deltas", answer.deltas, "Chunks of a default stream");
  app.add_option("--interval-ms", answer.interval_ms, "Pause between chunks");
  app.add_flag("--stamp", answer.stamp,
               "Begin each chunk's text with the moment of its sending");
  app.add_flag("--no-log", no_log, "Keep no requests (benchmarks)");
  CLI11_PARSE(app, argc, argv);
  llm::simulator::SimServer server(answer, !no_log);
  std::printf("listening %d\n", server.Listen(port));
  std::fflush(stdout);
  server.Run();
  return 0;
}
