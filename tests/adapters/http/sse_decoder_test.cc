#include "adapters/http/sse_decoder.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace llm {
namespace {

// name, data, id, unterminated
using Event = std::tuple<std::string, std::string, std::string, bool>;

struct Decoded {
  std::vector<Event> events;
  bool too_long = false;
  int64_t comments = 0;
  bool operator==(const Decoded&) const = default;
};

Event Copy(const SseEvent& event) {
  return {std::string(event.name), std::string(event.data),
          std::string(event.id), event.unterminated};
}

Decoded Decode(const std::vector<std::string>& slices,
               size_t limit = SseDecoder::kDefaultLimit) {
  SseDecoder decoder(limit);
  Decoded decoded;
  SseEvent event;
  SseStep step = SseStep::kNeedMore;
  for (const std::string& bytes : slices) {
    // A copy that dies at once: views into it would be seen by ASan.
    const std::string slice = bytes;
    decoder.Push(slice);
    while ((step = decoder.Next(event)) == SseStep::kEvent) {
      decoded.events.push_back(Copy(event));
    }
    if (step == SseStep::kTooLong) break;
  }
  if (step != SseStep::kTooLong) {
    while ((step = decoder.Finish(event)) == SseStep::kEvent) {
      decoded.events.push_back(Copy(event));
    }
  }
  decoded.too_long = step == SseStep::kTooLong;
  decoded.comments = decoder.comments();
  return decoded;
}

std::vector<std::string> OneByteEach(const std::string& text) {
  std::vector<std::string> slices;
  for (const char c : text) slices.emplace_back(1, c);
  return slices;
}

std::vector<std::string> RandomSlices(const std::string& text,
                                      std::mt19937& random) {
  std::vector<std::string> slices;
  for (size_t at = 0; at < text.size();) {
    const size_t n = random() % 7;  // empty slices too
    slices.push_back(text.substr(at, n));
    at += n;
  }
  return slices;
}

struct Case {
  std::string name;
  std::string stream;
  std::vector<Event> events;
  int64_t comments = 0;
};

const std::string kEuro = "\xE2\x82\xAC";
const std::string kBom = "\xEF\xBB\xBF";

std::vector<Case> Cases() {
  const std::string nul("id: a\0b\ndata: x\n\n", 17);
  return {
      {"LF",
       "data: a\n\ndata: b\n\n",
       {{"", "a", "", false}, {"", "b", "", false}}},
      {"CRLF",
       "data: a\r\n\r\ndata: b\r\n\r\n",
       {{"", "a", "", false}, {"", "b", "", false}}},
      {"CR",
       "data: a\r\rdata: b\r\r",
       {{"", "a", "", false}, {"", "b", "", false}}},
      {"mixed",
       "data: a\r\n\ndata: b\n\r\ndata: c\r\n\rdata: d\n\r",
       {{"", "a", "", false},
        {"", "b", "", false},
        {"", "c", "", false},
        {"", "d", "", false}}},
      {"names and ids",
       "event: delta\nid: 7\ndata: {\"a\": 1}\n\ndata: b\n\n",
       {{"delta", "{\"a\": 1}", "7", false}, {"", "b", "", false}}},
      {"field order", "data: x\nevent: late\n\n", {{"late", "x", "", false}}},
      {"many lines",
       "data: a\ndata:\ndata: c\n\n",
       {{"", "a\n\nc", "", false}}},
      {"no space, two spaces",
       "data:a\ndata:  b\n\n",
       {{"", "a\n b", "", false}}},
      {"no colon", "data\n\n", {{"", "", "", false}}},
      {"two empty lines of data", "data\ndata\n\n", {{"", "\n", "", false}}},
      {"comments",
       ": keep-alive\n\n:\ndata: a\n: in between\ndata: b\n\n",
       {{"", "a\nb", "", false}},
       3},
      {"nothing but a name",
       "event: ping\n\ndata: a\n\n",
       {{"", "a", "", false}}},
      {"unknown fields",
       "retry: 10\nfoo: bar\nDATA: no\ndata: a\n\n",
       {{"", "a", "", false}}},
      {"BOM", kBom + "data: a\n\n", {{"", "a", "", false}}},
      {"BOM only at the start",
       "\n" + kBom + "data: a\n\ndata: b\n\n",
       {{"", "b", "", false}}},
      {"half a BOM",
       kBom.substr(0, 2) + "data: a\n\ndata: b\n\n",
       {{"", "b", "", false}}},
      {"UTF-8",
       "data: " + kEuro + kEuro + "\n\n",
       {{"", kEuro + kEuro, "", false}}},
      {"colons in data", "data: a: b\n\n", {{"", "a: b", "", false}}},
      {"id with NUL", nul, {{"", "x", "", false}}},
      {"no last blank line",
       "data: a\n\ndata: [DONE]\n",
       {{"", "a", "", false}, {"", "[DONE]", "", true}}},
      {"no last line end",
       "data: a\n\ndata: [DONE]",
       {{"", "a", "", false}, {"", "[DONE]", "", true}}},
      {"last blank line is a CR", "data: a\r\r", {{"", "a", "", false}}},
      {"cut in a name", "data: a\n\nevent: x", {{"", "a", "", false}}},
      {"empty", "", {}},
      {"blank lines", "\n\r\n\r\r\n", {}},
  };
}

TEST_CASE("A stream decodes to the same events however it is cut",
          "[adapters][sse][STR-1]") {
  for (const Case& c : Cases()) {
    CAPTURE(c.name);
    const Decoded want{c.events, false, c.comments};
    CHECK(Decode({c.stream}) == want);
    CHECK(Decode(OneByteEach(c.stream)) == want);
    for (size_t cut = 0; cut <= c.stream.size(); ++cut) {
      CAPTURE(cut);
      CHECK(Decode({c.stream.substr(0, cut), c.stream.substr(cut)}) == want);
    }
    std::mt19937 random(42);
    for (int i = 0; i < 50; ++i) {
      CHECK(Decode(RandomSlices(c.stream, random)) == want);
    }
  }
}

TEST_CASE("An event inside one slice is handed out without a copy",
          "[adapters][sse]") {
  const std::string slice = "event: x\ndata: {\"a\": 1}\n\n";
  SseDecoder decoder;
  decoder.Push(slice);
  SseEvent event;
  REQUIRE(decoder.Next(event) == SseStep::kEvent);
  CHECK(event.data.data() == slice.data() + slice.find('{'));
}

TEST_CASE("A line or an event over the limit ends the stream at any cut",
          "[adapters][sse][STR-1]") {
  const std::string stream = GENERATE(
      std::string("data: ok\n\ndata: 0123456789012345\n\n"),
      std::string("data: ok\n\ndata: 012345\ndata: 0123456\n\ndata: a\n\n"),
      std::string("data: ok\n\n: 01234567890123456789"),
      std::string("data: ok\n\n0123456789012345678901234567"));
  const Decoded want{{{"", "ok", "", false}}, true, 0};
  const size_t limit = 13;
  CAPTURE(stream);
  CHECK(Decode({stream}, limit) == want);
  CHECK(Decode(OneByteEach(stream), limit) == want);
  for (size_t cut = 0; cut <= stream.size(); ++cut) {
    CHECK(Decode({stream.substr(0, cut), stream.substr(cut)}, limit) == want);
  }
}

TEST_CASE("An event at the limit passes", "[adapters][sse]") {
  const Decoded want{{{"", "0123456", "", false}}, false, 0};
  CHECK(Decode({"data: 0123456\n\n"}, 13) == want);
  CHECK(Decode(OneByteEach("data: 0123456\n\n"), 13) == want);
}

TEST_CASE("A decoder that gave up stays so", "[adapters][sse]") {
  SseDecoder decoder(4);
  SseEvent event;
  decoder.Push("data: a\n\n");
  CHECK(decoder.Next(event) == SseStep::kTooLong);
  decoder.Push("\n");
  CHECK(decoder.Next(event) == SseStep::kTooLong);
  CHECK(decoder.Finish(event) == SseStep::kTooLong);
}

}  // namespace
}  // namespace llm
