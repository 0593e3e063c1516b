#include "adapters/http/response_head.h"

#include <catch2/catch.hpp>
#include <string>

namespace llm {
namespace {

TEST_CASE("A head is its final status and headers", "[adapters][http]") {
  ResponseHead head;
  for (const char* line : {"HTTP/1.1 103 Early Hints\r\n", "Link: </x>\r\n",
                           "\r\n", "HTTP/1.1 100 Continue\r\n", "\r\n"}) {
    REQUIRE(head.OnLine(line));
    CHECK_FALSE(head.started());
    CHECK_FALSE(head.complete());
  }
  REQUIRE(head.OnLine("HTTP/2 429 \r\n"));
  CHECK(head.started());
  REQUIRE(head.OnLine("X-A:  one \r\n"));
  REQUIRE(head.OnLine("\t two\r\n"));
  REQUIRE(head.OnLine("x-empty:\r\n"));
  CHECK_FALSE(head.complete());
  REQUIRE(head.OnLine("\r\n"));
  CHECK(head.complete());
  REQUIRE(head.OnLine("Trailer: late\r\n"));
  CHECK(head.status() == 429);
  REQUIRE(head.headers().size() == 2);
  CHECK(*FindHeader(head.headers(), "x-a") == "one two");
  CHECK(FindHeader(head.headers(), "x-empty")->empty());
}

TEST_CASE("A head has a limit of headers and of bytes", "[adapters][http]") {
  ResponseHead many;
  REQUIRE(many.OnLine("HTTP/1.1 200 OK\r\n"));
  for (size_t i = 0; i < ResponseHead::kMaxHeaders; ++i) {
    REQUIRE(many.OnLine("A: b\r\n"));
  }
  CHECK_FALSE(many.OnLine("A: b\r\n"));

  ResponseHead large;
  REQUIRE(large.OnLine("HTTP/1.1 200 OK\r\n"));
  const std::string line = "A: " + std::string(65536, 'x') + "\r\n";
  for (int i = 0; i < 3; ++i) REQUIRE(large.OnLine(line));
  CHECK_FALSE(large.OnLine(line));
}

TEST_CASE("Interim heads and trailers cannot go on for ever",
          "[adapters][http]") {
  ResponseHead interim;
  bool ok = true;
  for (int i = 0; ok && i < 1000; ++i) {
    ok = interim.OnLine("HTTP/1.1 100 Continue\r\n") && interim.OnLine("\r\n");
  }
  CHECK_FALSE(ok);
}

}  // namespace
}  // namespace llm
