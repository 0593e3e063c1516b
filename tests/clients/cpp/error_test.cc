#include "llm_service/error.h"

#include <google/protobuf/duration.pb.h>

#include <catch2/catch.hpp>
#include <string>
#include <tuple>

#include "absl/strings/cord.h"
#include "clients/cpp/src/wire_error.h"
#include "tests/clients/cpp/scripted_service.h"
#include "tests/support/status_matchers.h"

namespace llm::client {
namespace {

v1::UpstreamError RateLimited() {
  v1::UpstreamError detail;
  detail.set_code("provider_rate_limited");
  detail.set_message("all are limited");
  detail.set_request_id("id-1");
  detail.set_source("provider");
  detail.set_provider("qwen");
  detail.set_upstream_status(429);
  detail.set_attempts(3);
  detail.set_retry_after_s(12.5);
  detail.set_no_retry(true);
  return detail;
}

TEST_CASE("Every fact of the service's detail reaches the caller",
          "[clients][errors]") {
  const absl::Status status =
      FromWire(Failure(grpc::StatusCode::RESOURCE_EXHAUSTED, RateLimited()),
               {"host:1", ""});
  CHECK_THAT(status, HasCode(absl::StatusCode::kResourceExhausted));
  CHECK(status.message() == "all are limited");
  const auto detail = ErrorDetail(status);
  REQUIRE(detail.has_value());
  CHECK(detail->SerializeAsString() == RateLimited().SerializeAsString());
  CHECK(RetryAfter(status) == absl::Seconds(12.5));
  CHECK(RetryPointless(status));
  CHECK(DescribeError(status) ==
        "RESOURCE_EXHAUSTED provider_rate_limited: all are limited (source "
        "provider, provider qwen, upstream status 429, attempts 3, retry "
        "after 12.5 s, do not retry, request id-1)");
}

TEST_CASE("Whether a repeat is pointless follows code and detail",
          "[clients][errors]") {
  using Code = grpc::StatusCode;
  const auto [code, no_retry, want] = GENERATE(table<Code, bool, bool>({
      {Code::INVALID_ARGUMENT, false, true},
      {Code::UNAUTHENTICATED, false, true},
      {Code::PERMISSION_DENIED, false, true},
      {Code::NOT_FOUND, false, true},
      {Code::CANCELLED, false, true},
      {Code::RESOURCE_EXHAUSTED, false, false},
      {Code::RESOURCE_EXHAUSTED, true, true},
      {Code::UNAVAILABLE, false, false},
      {Code::UNAVAILABLE, true, true},
      {Code::DEADLINE_EXCEEDED, false, false},
      {Code::INTERNAL, false, false},
  }));
  CAPTURE(code, no_retry);
  v1::UpstreamError detail;
  detail.set_no_retry(no_retry);
  CHECK(RetryPointless(FromWire(Failure(code, detail), {})) == want);
}

TEST_CASE("A failure without a detail names the address", "[clients][errors]") {
  const absl::Status status =
      FromWire({grpc::StatusCode::UNAVAILABLE, "refused"}, {"host:1", "req"});
  CHECK(status.message() == "from host:1: refused");
  CHECK_FALSE(ErrorDetail(status).has_value());
  CHECK_FALSE(RetryAfter(status).has_value());
  CHECK(DescribeError(status) == "UNAVAILABLE: from host:1: refused");
}

TEST_CASE("Details that are not ours, or damaged, are no detail",
          "[clients][errors]") {
  google::protobuf::Any other;
  other.PackFrom(google::protobuf::Duration());
  const std::string packed = other.SerializeAsString();
  const std::string foreign =
      std::string{0x1a, static_cast<char>(packed.size())} + packed;
  const std::string ours =
      Failure(grpc::StatusCode::INTERNAL, RateLimited()).error_details();
  CHECK_FALSE(DetailIn("").has_value());
  CHECK_FALSE(DetailIn(foreign).has_value());
  CHECK_FALSE(DetailIn("\xff\xff\xff").has_value());
  for (size_t cut = 0; cut < ours.size(); ++cut) {
    (void)DetailIn(ours.substr(0, cut));
  }
  // Ours is found also behind another's.
  CHECK(DetailIn(foreign + ours)->code() == "provider_rate_limited");
  absl::Status damaged = absl::InternalError("x");
  damaged.SetPayload(kErrorDetailUrl, absl::Cord("\xff\xff\xff"));
  CHECK_FALSE(ErrorDetail(damaged).has_value());
}

TEST_CASE("Only what the caller did is called the caller's",
          "[clients][errors]") {
  using Code = grpc::StatusCode;
  const auto code = GENERATE(Code::CANCELLED, Code::DEADLINE_EXCEEDED);
  const bool own = GENERATE(true, false);
  CallFacts facts{"host:1", "req", own, own};
  const absl::Status status = FromWire({code, "a proxy's words"}, facts);
  CHECK(static_cast<int>(status.code()) == static_cast<int>(code));
  CHECK((status.message() == "from host:1: a proxy's words") != own);
}

TEST_CASE("Bytes that are no text do not cost an error its detail",
          "[clients][errors]") {
  const absl::Status status = LocalError(absl::StatusCode::kInvalidArgument,
                                         "invalid_request", "a\xff", "\xfe");
  const auto detail = ErrorDetail(status);
  REQUIRE(detail.has_value());
  CHECK(detail->message() == R"(a\xff)");
  CHECK(detail->request_id() == R"(\xfe)");
}

TEST_CASE("A good call has nothing to describe", "[clients][errors]") {
  CHECK(DescribeError(absl::OkStatus()) == "OK");
  CHECK_FALSE(ErrorDetail(absl::OkStatus()).has_value());
  CHECK_THAT(FromWire(grpc::Status::OK, {}), IsOk());
}

}  // namespace
}  // namespace llm::client
