#include "server/core/embed_check.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "router/call_error.h"
#include "tests/support/status_matchers.h"

namespace llm::server {
namespace {

v1::CreateEmbeddingsRequest Texts(int count) {
  v1::CreateEmbeddingsRequest request;
  for (int i = 0; i < count; ++i) request.add_input("x");
  return request;
}

// The field that is at fault; empty for none.
std::string FaultOf(const v1::CreateEmbeddingsRequest& request) {
  const absl::Status status = CheckEmbedRequest(request);
  if (status.ok()) return "";
  CHECK_THAT(status, HasCode(absl::StatusCode::kInvalidArgument));
  return CallErrorDetail(status).param();
}

TEST_CASE("inputs are some, not too many, and none is empty",
          "[server][embeddings][ERR-1]") {
  CHECK(FaultOf({}) == "input");
  CHECK(FaultOf(Texts(1)).empty());
  CHECK(FaultOf(Texts(2048)).empty());
  CHECK(FaultOf(Texts(2049)) == "input");
  v1::CreateEmbeddingsRequest request = Texts(2);
  request.set_input(1, "");
  CHECK(FaultOf(request) == "input");
  request = Texts(1);
  request.add_token_inputs()->add_tokens(1);
  CHECK(FaultOf(request) == "input");
  request.clear_input();
  CHECK(FaultOf(request).empty());
  request.add_token_inputs();
  CHECK(FaultOf(request) == "input");
  request.mutable_token_inputs(1)->add_tokens(-1);
  CHECK(FaultOf(request) == "input");
}

TEST_CASE("other fields of embeddings are what they must be",
          "[server][embeddings][ERR-1]") {
  v1::CreateEmbeddingsRequest request = Texts(1);
  request.set_dimensions(0);
  CHECK(FaultOf(request) == "dimensions");
  request.set_dimensions(1);
  request.mutable_timeout()->set_seconds(-1);
  CHECK(FaultOf(request) == "timeout");
  request.clear_timeout();
  for (const char* extra : {"[]", "{"}) {
    request.set_extra_json(extra);
    CHECK(FaultOf(request) == "extra_json");
  }
  // What HTTP calls by its name is named, not the message's field for it.
  for (const auto& [extra, param] :
       {std::pair{R"({"input":"y"})", "input"},
        std::pair{R"({"us\u0065r":1})", "user"},
        std::pair{R"({"output_dimension":8})", "output_dimension"}}) {
    request.set_extra_json(extra);
    CHECK(FaultOf(request) == param);
  }
  request.set_extra_json(R"({"input_type":"query"})");
  CHECK(FaultOf(request).empty());
}

}  // namespace
}  // namespace llm::server
