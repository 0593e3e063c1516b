#include "tests/simulator/sim_server.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "tests/integration/service_client.h"

namespace llm::simulator {
namespace {

// The simulator keeps its connections: what has come with the head will do.
std::string Exchange(uint16_t port, std::string_view request) {
  ServiceClient client(port);
  client.Send(request);
  return client.ReadAnswer();
}

class Running {
 public:
  Running()
      : server_({}, /*keep_log=*/true),
        port_(static_cast<uint16_t>(server_.Listen(0))),
        thread_([this] { server_.Run(); }) {}
  ~Running() {
    server_.Stop();
    thread_.join();
  }

  uint16_t port() const { return port_; }
  int Post(std::string_view path, std::string_view body) const {
    return StatusOf(Exchange(port_, Request("POST", path, "", body)));
  }
  std::string Call() const {
    return Exchange(port_, Request("POST", "/lane/a/v1/chat/completions", "",
                                   R"({"model":"m"})"));
  }
  // True once the log of the lane shows the text; false when it never did.
  bool Logged(const std::string& text) const {
    const auto patience =
        std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < patience) {
      const std::string log =
          Exchange(port_, Request("GET", "/_sim/log?lane=a", ""));
      if (absl::StrContains(log, text)) return true;
    }
    return false;
  }

 private:
  SimServer server_;
  const uint16_t port_;
  std::thread thread_;
};

TEST_CASE("a fate before the head sends not a byte", "[simulator]") {
  const auto [word, outcome] = GENERATE(table<std::string, std::string>(
      {{"close", "closed"}, {"reset", "reset"}}));
  const Running simulator;
  REQUIRE(simulator.Post("/_sim/script?lane=a",
                         R"({"before_head":")" + word + "\"}") == 200);
  CHECK(simulator.Call().empty());
  CHECK(simulator.Logged(R"("outcome":")" + outcome + "\""));
  CHECK(StatusOf(simulator.Call()) == 200);
}

TEST_CASE("a stall before the head lasts until the client leaves",
          "[simulator]") {
  const Running simulator;
  REQUIRE(simulator.Post("/_sim/script?lane=a", R"({"before_head":"stall"})") ==
          200);
  ServiceClient client(simulator.port());
  client.Send(Request("POST", "/lane/a/v1/chat/completions", "", "{}"));
  CHECK(simulator.Logged(R"("outcome":"stalled")"));
  client.Leave(false);
  CHECK(simulator.Logged(R"("outcome":"client_left")"));
}

TEST_CASE("a lane's mix strikes before its scripts until it is reset",
          "[simulator]") {
  const Running simulator;
  CHECK(simulator.Post("/_sim/mix?lane=a", R"({"rate":2})") == 400);
  REQUIRE(simulator.Post("/_sim/mix?lane=a",
                         R"({"rate":1,"faults":[{"status":529}]})") == 200);
  CHECK(StatusOf(simulator.Call()) == 529);
  CHECK(simulator.Logged(R"("mixed":true)"));
  REQUIRE(simulator.Post("/_sim/reset?lane=a", "") == 200);
  CHECK(StatusOf(simulator.Call()) == 200);
}

TEST_CASE("while it refuses nobody gets in, and then everybody again",
          "[simulator]") {
  const Running simulator;
  ServiceClient idle(simulator.port());
  idle.Send("GET /_sim/count HTTP/1.1\r\nhost: x\r\n\r\n");
  CHECK(StatusOf(idle.ReadAnswer()) == 200);
  REQUIRE(simulator.Post("/_sim/refuse?ms=500", "") == 200);
  // Ends because the simulator closes what is idle.
  idle.ReadAll();
  CHECK(simulator.Call().empty());
  CHECK(simulator.Logged("[]"));
  CHECK(StatusOf(simulator.Call()) == 200);
}

}  // namespace
}  // namespace llm::simulator
