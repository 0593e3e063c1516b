#include "adapters/http/exchange_deadlines.h"

#include <catch2/catch.hpp>

namespace llm {
namespace {

Instant At(int seconds) { return {absl::Seconds(seconds)}; }

AttemptDeadlines Limits() {
  AttemptDeadlines limits;
  limits.connect = absl::Seconds(5);
  limits.first_content = absl::Seconds(20);
  limits.idle = absl::Seconds(10);
  limits.total = At(200);
  return limits;
}

void Slice(ExchangeDeadlines& deadlines, int at, BodyProgress progress) {
  deadlines.OnSinkStarted(At(at));
  deadlines.OnSinkFinished(At(at), progress);
}

TEST_CASE("Connect is the first deadline until the handshakes are over",
          "[adapters][http][deadlines][TMO-1]") {
  ExchangeDeadlines deadlines(Limits(), At(0));
  CHECK(deadlines.Next() == At(5));
  CHECK(deadlines.Passed(At(4)).empty());
  CHECK(deadlines.Passed(At(5)) == "connect");
  deadlines.OnConnected();
  CHECK(deadlines.Passed(At(19)).empty());
}

TEST_CASE("First content counts from dispatch and noise does not extend it",
          "[adapters][http][deadlines][TMO-1]") {
  ExchangeDeadlines deadlines(Limits(), At(0));
  deadlines.OnConnected();
  Slice(deadlines, 19, BodyProgress::kNoise);
  CHECK(deadlines.Next() == At(20));
  CHECK(deadlines.Passed(At(20)) == "first_content");
}

TEST_CASE("Idle counts between content; noise extends it to twice its length",
          "[adapters][http][deadlines][TMO-1]") {
  ExchangeDeadlines deadlines(Limits(), At(0));
  deadlines.OnConnected();
  Slice(deadlines, 18, BodyProgress::kContent);
  CHECK(deadlines.Next() == At(28));
  Slice(deadlines, 25, BodyProgress::kContent);
  CHECK(deadlines.Next() == At(35));
  Slice(deadlines, 30, BodyProgress::kNoise);
  CHECK(deadlines.Next() == At(40));
  Slice(deadlines, 39, BodyProgress::kNoise);
  CHECK(deadlines.Next() == At(45));
  CHECK(deadlines.Passed(At(45)) == "idle");
  Slice(deadlines, 44, BodyProgress::kContent);
  CHECK(deadlines.Next() == At(54));
}

TEST_CASE("While the sink waits only the total deadline counts",
          "[adapters][http][deadlines][TMO-1]") {
  ExchangeDeadlines deadlines(Limits(), At(0));
  deadlines.OnConnected();
  deadlines.OnSinkStarted(At(10));
  CHECK(deadlines.Next() == At(200));
  CHECK(deadlines.Passed(At(199)).empty());
  CHECK(deadlines.Passed(At(200)) == "total");
  deadlines.OnSinkFinished(At(110), BodyProgress::kNoise);
  CHECK(deadlines.Next() == At(120));
}

TEST_CASE("What the sink takes does not use up the room for noise",
          "[adapters][http][deadlines][TMO-1]") {
  ExchangeDeadlines deadlines(Limits(), At(0));
  deadlines.OnConnected();
  Slice(deadlines, 10, BodyProgress::kContent);
  deadlines.OnSinkStarted(At(15));
  deadlines.OnSinkFinished(At(115), BodyProgress::kNoise);
  CHECK(deadlines.Next() == At(125));
  Slice(deadlines, 124, BodyProgress::kNoise);
  CHECK(deadlines.Next() == At(130));
}

TEST_CASE("Without limits nothing ever passes", "[adapters][http][deadlines]") {
  AttemptDeadlines none;
  none.connect = none.first_content = none.idle = absl::InfiniteDuration();
  ExchangeDeadlines deadlines(none, At(0));
  Slice(deadlines, 1, BodyProgress::kContent);
  CHECK(deadlines.Next() == Instant::Never());
  CHECK(deadlines.Passed(At(1000000)).empty());
}

}  // namespace
}  // namespace llm
