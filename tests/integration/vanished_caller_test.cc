// Callers who leave in the middle of a stream.
#include <catch2/catch.hpp>
#include <memory>
#include <vector>

#include "tests/integration/running_service.h"
#include "tests/integration/service_client.h"

namespace llm {
namespace {

TEST_CASE(
    "a caller who leaves mid-stream closes the upstream and has a row that "
    "says so",
    "[integration][TMO-2]") {
  constexpr int kCallers = 4;
  const TempDir dir;
  Upstream upstream;
  const ServiceOptions options{.store = dir.File("usage.db")};
  RunningService service(upstream, options);
  const NewKey key = MakeKey(service.admin_port());
  std::vector<std::unique_ptr<ServiceClient>> callers;
  std::multiset<std::string> left;
  for (int i = 0; i < kCallers; ++i) {
    REQUIRE(upstream.Script("good", StalledStream()));
    callers.push_back(std::make_unique<ServiceClient>(service.port()));
    callers.back()->Send(Chat(key.secret, "main", true));
    const std::string& begun = callers.back()->ReadUntil("first");
    REQUIRE(begun.find("first") != std::string::npos);
    left.insert(HeaderOf(begun, "x-request-id"));
  }
  for (int i = 0; i < kCallers; ++i) callers[i]->Leave(i % 2 == 0);
  // Before the drain, which would end them too.
  CHECK(upstream.WaitForCount("good", "client_left", kCallers));
  // Others are served all the while.
  CHECK(StatusOf(Ask(service.port(), Chat(key.secret, "main", true))) == 200);
  CHECK(service.Stop() == absl::OkStatus());
  CHECK(RequestRows(options.store, "client_cancelled") == left);
  CHECK(QueryStore(options.store,
                   "SELECT count(*) FROM attempts WHERE outcome = "
                   "'client_cancelled'") == kCallers);
}

}  // namespace
}  // namespace llm
