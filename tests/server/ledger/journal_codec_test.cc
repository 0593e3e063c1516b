#include "server/ledger/journal_codec.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "server/ledger/crc32c.h"
#include "tests/server/ledger/ledger_samples.h"

namespace llm::server {
namespace {

std::string Encoded(const std::vector<LedgerEntry>& entries) {
  std::string bytes;
  EncodeFrame(entries, &bytes);
  return bytes;
}

TEST_CASE("The checksum is CRC-32C", "[ledger][journal]") {
  // RFC 3720 appendix B.4, and the check value of the CRC catalogue.
  CHECK(Crc32c("123456789") == 0xE306'9283U);
  CHECK(Crc32c(std::string(32, '\0')) == 0x8A91'36AAU);
  CHECK(Crc32c(std::string(32, '\xFF')) == 0x62A8'AB43U);
  CHECK(Crc32c("") == 0U);
  const std::string bytes(61, '\x5A');
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string_view part(bytes.data(), size);
    CHECK(Crc32c(part) == Crc32cByTables(part));
  }
}

TEST_CASE("A frame gives back every field of its entries",
          "[ledger][journal]") {
  const std::string bytes = Encoded(SampleCall("1"));
  const DecodedFrame frame = DecodeFrame(bytes);
  REQUIRE(frame.state == FrameState::kWhole);
  CHECK(frame.bytes == bytes.size());
  REQUIRE(frame.entries.size() == 3);
  // Encoding what was decoded compares all fields at once; the ones below
  // show that something was there to compare.
  CHECK(Encoded(frame.entries) == bytes);
  const auto& attempt = std::get<AttemptRecord>(frame.entries[1]);
  CHECK(attempt.intent.started == At("2026-11-22T10:00:00.123456Z"));
  CHECK(attempt.intent.role == AttemptRole::kFallback);
  CHECK(attempt.usage == SampleAttempt("r", "a").usage);
  CHECK(attempt.usage.cache_write_5m == std::nullopt);
  CHECK(attempt.usage.reasoning == 0);
  CHECK(attempt.cost == Money{{"USD"}, 123'456'789});
  CHECK(attempt.dropped == std::vector<std::string>{"seed", "logit_bias"});
  CHECK(attempt.intent.identity.symbol == "600519");
  CHECK(attempt.time_to_first_content == absl::Milliseconds(300));
  const auto& request = std::get<RequestRecord>(frame.entries[2]);
  CHECK(request.cost == std::vector<Money>{{{"USD"}, 123'456'789}});
  CHECK(request.reason == "primary of general");
  CHECK(request.metadata_json == R"({"experiment":"a","symbol":"600519"})");
}

TEST_CASE("A negative amount and the ends of 64 bits survive",
          "[ledger][journal]") {
  const int64_t pico =
      GENERATE(int64_t{-1}, std::numeric_limits<int64_t>::min(),
               std::numeric_limits<int64_t>::max());
  AttemptRecord record = SampleAttempt("r", "a");
  record.cost->pico = pico;
  const DecodedFrame frame = DecodeFrame(Encoded({record}));
  REQUIRE(frame.state == FrameState::kWhole);
  CHECK(std::get<AttemptRecord>(frame.entries[0]).cost->pico == pico);
}

TEST_CASE("A frame cut at any byte is torn", "[ledger][journal]") {
  const std::string bytes = Encoded(SampleCall("1"));
  for (size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    const DecodedFrame frame = DecodeFrame(bytes.substr(0, size));
    CHECK(frame.state == FrameState::kTorn);
    CHECK(frame.entries.empty());
  }
}

TEST_CASE("A changed byte never passes as a whole frame", "[ledger][journal]") {
  const std::string bytes = Encoded(SampleCall("1"));
  for (size_t at = 0; at < bytes.size(); ++at) {
    CAPTURE(at);
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    const DecodedFrame frame = DecodeFrame(changed);
    CHECK(frame.state != FrameState::kWhole);
    CHECK(frame.entries.empty());
  }
}

TEST_CASE("A text that is too long is cut, not refused",
          "[ledger][journal][LED-3]") {
  AttemptRecord record = SampleAttempt("r", "a");
  record.raw_usage_json = std::string(10'000'000, 'x');
  record.intent.identity.agent = std::string(100'000, 'y');
  const DecodedFrame frame = DecodeFrame(Encoded({record}));
  REQUIRE(frame.state == FrameState::kWhole);
  const auto& decoded = std::get<AttemptRecord>(frame.entries[0]);
  CHECK(decoded.raw_usage_json.size() == kMaxRawUsageBytes);
  CHECK(decoded.intent.identity.agent.size() == kMaxTextBytes);
}

}  // namespace
}  // namespace llm::server
