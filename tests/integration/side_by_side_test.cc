// Everything a busy service does at once, on real sockets.
#include <atomic>
#include <catch2/catch.hpp>
#include <set>
#include <thread>
#include <vector>

#include "adapters/core/json.h"
#include "tests/integration/running_service.h"
#include "tests/integration/service_client.h"

namespace llm {
namespace {

constexpr int kCallsPerThread = 8;

// What one client thread saw; read once it has been joined.
struct Seen {
  std::vector<std::string> answers;
  std::vector<std::string> ids() const {
    std::vector<std::string> ids;
    for (const std::string& answer : answers) {
      ids.push_back(HeaderOf(answer, "x-request-id"));
    }
    return ids;
  }
};

void CallRepeatedly(uint16_t port, const std::string& request, Seen* seen) {
  for (int i = 0; i < kCallsPerThread; ++i) {
    seen->answers.push_back(Ask(port, request));
  }
}

// Makes a key, calls with it, revokes it, and is refused with it.
void UseKeysOnce(const RunningService& service, Seen* answered,
                 std::vector<int>* refused) {
  for (int i = 0; i < kCallsPerThread; ++i) {
    const NewKey key = MakeKey(service.admin_port());
    const std::string call = Chat(key.secret, "main", i % 2 == 0);
    answered->answers.push_back(Ask(service.port(), call));
    if (RevokeKey(service.admin_port(), key.id) != 200) return;
    refused->push_back(StatusOf(Ask(service.port(), call)));
  }
}

// Reads reports and metrics until `done`, and says what failed.
void WatchUntil(const std::atomic<bool>& done, const RunningService& service,
                std::vector<std::string>* bad) {
  const std::string metrics = Request("GET", "/metrics", "");
  const std::string usage = Request("GET", "/v1/usage?by=model,key", kAdminKey);
  const std::string ready = Request("GET", "/readyz", "");
  while (!done) {
    for (const auto& [port, request] :
         {std::pair(service.metrics_port(), metrics),
          std::pair(service.admin_port(), usage),
          std::pair(service.port(), ready)}) {
      const std::string answer = Ask(port, request);
      if (StatusOf(answer) != 200) bad->push_back(answer);
    }
  }
}

TEST_CASE(
    "calls, fallbacks, keys, reloads, reports and metrics run side by side, "
    "and every answered call has its row once",
    "[integration][OPS-6]") {
  const TempDir dir;
  Upstream upstream;
  REQUIRE(upstream.Script("bad", R"({"status":503,"body":{},"times":0})"));
  const ServiceOptions options{.store = dir.File("usage.db")};
  ServiceOptions other = options;
  other.price = "3";
  const std::vector<std::shared_ptr<const server::Config>> configs = {
      MakeConfig(upstream, other), MakeConfig(upstream, options)};
  RunningService service(upstream, options);
  const NewKey key = MakeKey(service.admin_port());
  REQUIRE_FALSE(key.secret.empty());

  const std::vector<std::string> requests = {
      Chat(key.secret, "main", false), Chat(key.secret, "main", true),
      Chat(key.secret, "main", true), Chat(key.secret, "auto", false),
      Chat(key.secret, "auto", true)};
  std::vector<Seen> seen(requests.size() + 1);
  std::vector<int> refused;
  std::vector<std::string> bad;
  std::atomic<bool> done{false};
  std::vector<std::thread> clients;
  for (size_t i = 0; i < requests.size(); ++i) {
    clients.emplace_back(CallRepeatedly, service.port(), requests[i], &seen[i]);
  }
  clients.emplace_back(UseKeysOnce, std::cref(service), &seen.back(), &refused);
  std::thread watcher(WatchUntil, std::cref(done), std::cref(service), &bad);
  int reloads = 0;
  for (; reloads < 20; ++reloads) {
    const auto unchanged = service.stack().Reload(configs[reloads % 2]);
    if (!unchanged.ok() || !unchanged->empty()) break;
  }
  for (std::thread& client : clients) client.join();
  done = true;
  watcher.join();

  CHECK(reloads == 20);
  CHECK(bad == std::vector<std::string>());
  CHECK(refused == std::vector<int>(kCallsPerThread, 401));
  std::multiset<std::string> answered;
  for (const Seen& one : seen) {
    REQUIRE(one.answers.size() == kCallsPerThread);
    for (const std::string& answer : one.answers) {
      CAPTURE(answer);
      CHECK(StatusOf(answer) == 200);
      CHECK(answer.find(R"("provider":"good")") != std::string::npos);
      const bool stream = HeaderOf(answer, "Transfer-Encoding") == "chunked";
      CHECK(stream == (answer.find("data: [DONE]") != std::string::npos));
    }
    for (const std::string& id : one.ids()) answered.insert(id);
  }

  CHECK(service.Stop() == absl::OkStatus());
  CHECK(RequestRows(options.store, "ok") == answered);
  CHECK(QueryStore(options.store, "SELECT count(*) FROM requests") ==
        static_cast<int64_t>(answered.size()));
  CHECK(service.logged() == answered.size());
  // One row for each dispatch, as the upstream counted them.
  CHECK(QueryStore(options.store,
                   "SELECT count(*) FROM attempts WHERE provider = 'good'") ==
        upstream.Count("good", "answered"));
  CHECK(QueryStore(options.store,
                   "SELECT count(*) FROM attempts WHERE provider = 'bad'") ==
        upstream.Count("bad", "answered"));
  CHECK(upstream.Count("bad", "answered") > 0);
  CHECK(QueryStore(options.store, "SELECT count(*) FROM open_calls") == 0);
}

TEST_CASE("a store that was closed tells the next service what was used",
          "[integration][USE-1]") {
  const TempDir dir;
  Upstream upstream;
  const ServiceOptions options{.store = dir.File("usage.db")};
  NewKey key;
  {
    RunningService service(upstream, options);
    key = MakeKey(service.admin_port());
    for (int i = 0; i < 3; ++i) {
      CHECK(StatusOf(Ask(service.port(), Chat(key.secret, "main", i == 1))) ==
            200);
    }
    CHECK(service.Stop() == absl::OkStatus());
  }
  RunningService service(upstream, options);
  CHECK(StatusOf(Ask(service.port(), Chat(key.secret, "main", false))) == 200);
  const std::string answer =
      Ask(service.port(), Request("GET", "/v1/usage?by=model", key.secret));
  // The document refers to the text.
  const std::string body = BodyOf(answer);
  const absl::StatusOr<JsonDocument> usage = JsonDocument::Parse(body);
  CAPTURE(answer);
  REQUIRE(usage.ok());
  CHECK(usage->root().Find("total").Find("requests").AsInt64() == 4);
}

}  // namespace
}  // namespace llm
