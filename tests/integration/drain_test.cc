// The end of a service while streams run.
#include <catch2/catch.hpp>
#include <future>
#include <latch>
#include <thread>
#include <vector>

#include "tests/integration/running_service.h"
#include "tests/integration/service_client.h"

namespace llm {
namespace {

TEST_CASE("a drain lets streams under way finish and refuses new calls",
          "[integration][OPS-2]") {
  constexpr int kStreams = 4;
  const TempDir dir;
  Upstream upstream({.chars = 400, .deltas = 40, .interval_ms = 100});
  const ServiceOptions options{.store = dir.File("usage.db")};
  RunningService service(upstream, options);
  const NewKey key = MakeKey(service.admin_port());
  const uint16_t port = service.port();
  std::latch begun(kStreams);
  std::vector<std::string> answers(kStreams);
  std::vector<std::thread> clients;
  for (std::string& answer : answers) {
    clients.emplace_back([port, &key, &begun, &answer] {
      ServiceClient client(port);
      client.Send(Chat(key.secret, "main", true));
      client.ReadUntil("\"content\":");
      begun.count_down();
      answer = client.ReadAll();
    });
  }
  begun.wait();
  service.stack().BeginDrain();
  CHECK(StatusOf(Ask(port, Request("GET", "/readyz", ""))) == 503);
  // Whoever has not heard of it is still served; after the grace nobody is.
  const std::string served = Ask(port, Chat(key.secret, "main", false));
  CHECK(StatusOf(served) == 200);
  service.stack().AwaitGrace();
  const std::string refused = Ask(port, Chat(key.secret, "main", false));
  CHECK(StatusOf(refused) == 503);
  CHECK(refused.find(R"("code":"overloaded")") != std::string::npos);
  CHECK(service.Stop() == absl::OkStatus());
  for (std::thread& client : clients) client.join();
  std::multiset<std::string> answered;
  for (const std::string& answer : answers) {
    CAPTURE(answer);
    CHECK(answer.find("data: [DONE]") != std::string::npos);
    answered.insert(HeaderOf(answer, "x-request-id"));
  }
  answered.insert(HeaderOf(served, "x-request-id"));
  CHECK(RequestRows(options.store, "ok") == answered);
}

TEST_CASE("a stream that outlives the drain is told so, and has its row",
          "[integration][OPS-2]") {
  const TempDir dir;
  Upstream upstream;
  const ServiceOptions options{.store = dir.File("usage.db"), .drain = "100ms"};
  RunningService service(upstream, options);
  const NewKey key = MakeKey(service.admin_port());
  REQUIRE(upstream.Script("good", StalledStream()));
  ServiceClient client(service.port());
  client.Send(Chat(key.secret, "main", true));
  const std::string begun = client.ReadUntil("first");
  REQUIRE(begun.find("first") != std::string::npos);
  CHECK(service.Stop() == absl::OkStatus());
  const std::string rest = client.ReadAll();
  CHECK(rest.find("[DONE]") == std::string::npos);
  CHECK(rest.find(R"(data: {"error":)") != std::string::npos);
  CHECK(rest.find(R"("code":"overloaded")") != std::string::npos);
  CHECK(RequestRows(options.store, "client_cancelled").empty());
  CHECK(RequestRows(options.store, "overloaded") ==
        std::multiset<std::string>{HeaderOf(begun, "x-request-id")});
  CHECK(QueryStore(options.store, "SELECT count(*) FROM open_calls") == 0);
}

}  // namespace
}  // namespace llm
