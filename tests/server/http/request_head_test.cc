#include "server/http/request_head.h"

#include <catch2/catch.hpp>
#include <string>

namespace llm::server {
namespace {

// `head` after the request line, with a Host.
std::string Head(std::string_view headers) {
  return "POST / HTTP/1.1\r\nHost: x\r\n" + std::string(headers) + "\r\n";
}

TEST_CASE("a head whose framing could be read two ways is refused",
          "[server][http][framing][SEC-6]") {
  const auto [head, status] = GENERATE(table<std::string, int>({
      {Head("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
      {Head("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
      {Head("Content-Length: 5, 5\r\n"), 400},
      {Head("Content-Length: +5\r\n"), 400},
      {Head("Content-Length: -5\r\n"), 400},
      {Head("Content-Length: 5 5\r\n"), 400},
      {Head("Content-Length: 5x\r\n"), 400},
      {Head("Content-Length: 0x5\r\n"), 400},
      {Head("Content-Length:\r\n"), 400},
      {Head("Content-Length: 99999999999999999999\r\n"), 400},
      {Head("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
      {Head("Transfer-Encoding: identity\r\n"), 400},
      {Head("Transfer-Encoding: gzip\r\n"), 400},
      {Head("Transfer-Encoding: chunked, gzip\r\n"), 400},
      {Head("Transfer-Encoding: xchunked\r\n"), 400},
      {Head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
       400},
      {Head("Transfer-Encoding : chunked\r\n"), 400},
      {Head("A: b\r\n c\r\n"), 400},
      {Head("A: b\rc\r\n"), 400},
      {Head("A: b\nc: d\r\n"), 400},
      {Head(std::string("A: b\0\r\n", 7)), 400},
      {Head("No colon\r\n"), 400},
      {Head(": empty\r\n"), 400},
      {Head("Host: y\r\n"), 400},
      {Head("Authorization: Bearer a\r\nAuthorization: Bearer a\r\n"), 400},
      {Head("Expect: tea\r\n"), 417},
      {"POST / HTTP/1.1\r\n\r\n", 400},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /#x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GE(T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET /\r\nHost: x\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"GET / HTTP/1.11\r\nHost: x\r\n\r\n", 505},
  }));
  CAPTURE(head);
  HeadFacts facts;
  CHECK(CheckHead(head, {}, &facts).status == status);
}

TEST_CASE("a well-formed head passes and tells its body's framing",
          "[server][http][framing]") {
  HeadFacts facts;
  SECTION("a length") {
    REQUIRE(CheckHead(Head("content-length: \t0042 \r\n"), {}, &facts).ok());
    CHECK(facts.content_length == 42);
    CHECK_FALSE(facts.chunked);
  }
  SECTION("chunks") {
    REQUIRE(CheckHead(Head("TRANSFER-ENCODING: Chunked\r\n"), {}, &facts).ok());
    CHECK(facts.chunked);
  }
  SECTION("a wait for 100") {
    REQUIRE(CheckHead(Head("Expect: 100-Continue\r\n"), {}, &facts).ok());
    CHECK(facts.expects_continue);
  }
  SECTION("HTTP/1.0 without a host") {
    CHECK(CheckHead("GET / HTTP/1.0\r\n\r\n", {}, &facts).ok());
  }
}

TEST_CASE("a head beyond its limits is refused with 431",
          "[server][http][framing][PRF-5]") {
  HeadFacts facts;
  HeadLimits limits;
  limits.max_headers = 3;
  limits.max_bytes = 200;
  CHECK(CheckHead(Head("A: b\r\nB: c\r\n"), limits, &facts).ok());
  CHECK(CheckHead(Head("A: b\r\nB: c\r\nC: d\r\n"), limits, &facts).status ==
        431);
  const std::string long_head = Head("A: " + std::string(200, 'a') + "\r\n");
  CHECK(CheckHead(long_head, limits, &facts).status == 431);
  CHECK(CheckPartialHead(long_head, limits).status == 431);
}

TEST_CASE("a head that can never become one is refused before it ends",
          "[server][http][framing]") {
  CHECK(CheckPartialHead("GET / HTTP/1.1\nHost", {}).status == 400);
  CHECK(CheckPartialHead("GET / HTTP/1.1\r\nHost", {}).ok());
  // The second half of a line end may still come.
  CHECK(CheckPartialHead("GET / HTTP/1.1\r", {}).ok());
}

}  // namespace
}  // namespace llm::server
