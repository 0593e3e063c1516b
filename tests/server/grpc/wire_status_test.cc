#include "server/grpc/wire_status.h"

#include <catch2/catch.hpp>
#include <string>

#include "adapters/core/json.h"

namespace llm::server {
namespace {

TEST_CASE("Long or broken words are cut to clean text that trailers can hold",
          "[server][grpc][errors][utf8]") {
  std::string words;
  for (int i = 0; i < 3000; ++i) words += "\u00e9\xff";
  const WireStatus wire = ToWireStatus(
      absl::Status(absl::StatusCode::kUnavailable, words), "call-1");
  CHECK(wire.status.error_code() == grpc::StatusCode::UNAVAILABLE);
  CHECK(wire.status.error_message().size() < 3000);
  CHECK(wire.status.error_message().size() > 500);
  CHECK(IsValidUtf8(wire.status.error_message()));
  CHECK(IsValidUtf8(wire.detail.message()));
  CHECK(wire.status.error_details().size() < 8000);
  CHECK(wire.detail.request_id() == "call-1");
}

TEST_CASE("A status without a payload still gets a detail with a code",
          "[server][grpc][errors]") {
  const WireStatus wire =
      ToWireStatus(absl::DeadlineExceededError("too late"), "call-1");
  CHECK(wire.detail.code() == "timeout");
  CHECK(wire.status.error_message() == "too late");
}

}  // namespace
}  // namespace llm::server
