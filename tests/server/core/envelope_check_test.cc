#include "server/core/envelope_check.h"

#include <catch2/catch.hpp>
#include <string>

#include "router/call_error.h"
#include "server/core/embed_check.h"
#include "server/core/request_check.h"
#include "tests/support/status_matchers.h"

namespace llm::server {
namespace {

std::string ParamOf(const absl::Status& status) {
  if (status.ok()) return "";
  CHECK_THAT(status, HasCode(absl::StatusCode::kInvalidArgument));
  return CallErrorDetail(status).param();
}

// A chat and embeddings that differ in their envelope alone.
struct Both {
  v1::ChatCompletionRequest chat;
  v1::CreateEmbeddingsRequest embeddings;
  Both() { embeddings.add_input("x"); }

  // The field at fault, which must be the same for both.
  std::string Fault() const {
    const std::string param = ParamOf(CheckRequest(chat));
    CHECK(ParamOf(CheckEmbedRequest(embeddings)) == param);
    return param;
  }
  template <typename Change>
  void Do(const Change& change) {
    change(chat);
    change(embeddings);
  }
};

TEST_CASE("tags are bounded, for they are in every row",
          "[server][tags][ERR-1]") {
  const std::string fits(256, 'x');
  const std::string too_long(257, 'x');
  Both both;
  both.Do([&](auto& request) {
    request.set_user(fits);
    request.set_run_id(fits);
    request.set_agent(fits);
    request.set_task_type(fits);
  });
  CHECK(both.Fault().empty());
  SECTION("user") {
    both.Do([&](auto& request) { request.set_user(too_long); });
    CHECK(both.Fault() == "user");
  }
  SECTION("run_id") {
    both.Do([&](auto& request) { request.set_run_id(too_long); });
    CHECK(both.Fault() == "run_id");
  }
  SECTION("agent") {
    both.Do([&](auto& request) { request.set_agent(too_long); });
    CHECK(both.Fault() == "agent");
  }
  SECTION("task_type") {
    both.Do([&](auto& request) { request.set_task_type(too_long); });
    CHECK(both.Fault() == "task_type");
  }
}

TEST_CASE("metadata has OpenAI's bounds at both doors",
          "[server][tags][ERR-1]") {
  Both both;
  both.Do([](auto& request) {
    for (int i = 0; i < 16; ++i) {
      (*request.mutable_metadata())["k" + std::to_string(i)] = "v";
    }
  });
  CHECK(both.Fault().empty());
  SECTION("pairs") {
    both.Do([](auto& request) { (*request.mutable_metadata())["one"] = ""; });
    CHECK(both.Fault() == "metadata");
  }
  SECTION("names") {
    both.Do([](auto& request) {
      request.clear_metadata();
      (*request.mutable_metadata())[std::string(65, 'k')] = "";
    });
    CHECK(both.Fault() == "metadata");
  }
  SECTION("values") {
    both.Do([](auto& request) {
      (*request.mutable_metadata())["k0"] = std::string(2049, 'v');
    });
    CHECK(both.Fault() == "metadata");
  }
}

}  // namespace
}  // namespace llm::server
