// Two services on one file act as one.
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>
#include <vector>

#include "adapters/core/json.h"
#include "tests/integration/running_service.h"
#include "tests/integration/service_client.h"

namespace llm {
namespace {

// Asks until the answer has `status`; false when it did not come within a
// time that no healthy run needs.
bool WaitForStatus(uint16_t port, const std::string& request, int status) {
  const auto patience =
      std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < patience) {
    if (StatusOf(Ask(port, request)) == status) return true;
  }
  return false;
}

TEST_CASE("two services on one file share keys and rows",
          "[integration][SEC-8]") {
  constexpr int kCalls = 10;
  const TempDir dir;
  Upstream upstream;
  const ServiceOptions options{.store = dir.File("usage.db")};
  RunningService one(upstream, options);
  RunningService two(upstream, options);
  const NewKey key = MakeKey(one.admin_port());
  const std::string models = Request("GET", "/v1/models", key.secret);
  REQUIRE(WaitForStatus(two.port(), models, 200));

  const std::vector<uint16_t> ports = {one.port(), two.port(), one.port(),
                                       two.port()};
  std::vector<std::vector<std::string>> answers(ports.size());
  std::vector<std::thread> clients;
  for (size_t i = 0; i < ports.size(); ++i) {
    clients.emplace_back(
        [port = ports[i], stream = i > 1, &key, &mine = answers[i]] {
          for (int call = 0; call < kCalls; ++call) {
            mine.push_back(Ask(port, Chat(key.secret, "main", stream)));
          }
        });
  }
  for (std::thread& client : clients) client.join();
  CHECK(RevokeKey(two.admin_port(), key.id) == 200);
  CHECK(WaitForStatus(one.port(), models, 401));

  std::multiset<std::string> answered;
  for (const auto& mine : answers) {
    for (const std::string& answer : mine) {
      CAPTURE(answer);
      CHECK(StatusOf(answer) == 200);
      answered.insert(HeaderOf(answer, "x-request-id"));
    }
  }
  CHECK(one.Stop() == absl::OkStatus());
  // What the first has stored is in the second's reports.
  const std::string report =
      Ask(two.admin_port(), Request("GET", "/v1/usage", kAdminKey));
  // The document refers to the text.
  const std::string body = BodyOf(report);
  const absl::StatusOr<JsonDocument> usage = JsonDocument::Parse(body);
  CAPTURE(report);
  REQUIRE(usage.ok());
  CHECK(usage->root().Find("total").Find("requests").AsInt64() ==
        static_cast<int64_t>(answered.size()));
  CHECK(two.Stop() == absl::OkStatus());
  CHECK(RequestRows(options.store, "ok") == answered);
}

}  // namespace
}  // namespace llm
