// Latency, quotas, keys and the retry budget, each alone.
#include <catch2/catch.hpp>
#include <set>

#include "router/key_ring.h"
#include "router/latency_mean.h"
#include "router/quota_watch.h"
#include "router/retry_budget.h"

namespace llm {
namespace {

constexpr Instant kStart{absl::Seconds(1000)};

TEST_CASE("A mean follows what is measured and fades when idle",
          "[router][latency]") {
  LatencyMean mean;
  CHECK_FALSE(mean.At(kStart));
  mean.Measure(absl::Seconds(2), kStart);
  CHECK(mean.At(kStart) == absl::Seconds(2));
  // After one time constant the old one weighs 1/e.
  const Instant later = kStart + LatencyMean::kMemory;
  mean.Measure(absl::Seconds(1), later);
  CHECK(absl::ToDoubleSeconds(*mean.At(later)) == Approx(1.368).epsilon(0.01));
  const Instant idle = later + LatencyMean::kForget;
  CHECK(absl::ToDoubleSeconds(*mean.At(idle)) == Approx(0.503).epsilon(0.01));
}

TEST_CASE("Many measurements of one instant all count", "[router][latency]") {
  LatencyMean mean;
  mean.Measure(absl::Seconds(10), kStart);
  for (int i = 0; i < 100; ++i) mean.Measure(absl::Seconds(1), kStart);
  CHECK(*mean.At(kStart) < absl::Seconds(1.1));
}

TEST_CASE("Failing fast is no way to look fast", "[router][latency]") {
  LatencyMean mean;
  mean.Failed(absl::Milliseconds(3), kStart);
  CHECK(mean.At(kStart) == absl::Seconds(5));
  LatencyMean slow;
  slow.Measure(absl::Seconds(30), kStart);
  slow.Failed(absl::Milliseconds(3), kStart + absl::Seconds(10));
  CHECK(*slow.At(kStart + absl::Seconds(10)) > absl::Seconds(30));
}

RateLimitFacts Requests(int64_t left, int64_t limit, absl::Duration reset) {
  RateLimitFacts facts;
  facts.limit_requests = limit;
  facts.remaining_requests = left;
  facts.reset_requests = reset;
  return facts;
}

TEST_CASE("A limit is low under a twentieth, until its reset",
          "[router][quota]") {
  QuotaWatch watch;
  CHECK_FALSE(watch.Low(100, kStart));
  watch.Observe(Requests(25, 500, absl::Seconds(20)), kStart);
  CHECK_FALSE(watch.Low(100, kStart));
  watch.Sent(100);  // 24 left
  const auto low = watch.Low(100, kStart);
  REQUIRE(low);
  CHECK(low->left == 24);
  CHECK(low->limit == 500);
  CHECK_FALSE(low->of_tokens);
  CHECK(low->until == kStart + absl::Seconds(20));
  CHECK_FALSE(watch.Low(100, kStart + absl::Seconds(20)));
  CHECK(watch.Over(kStart + absl::Seconds(20)));
}

TEST_CASE("Fewer tokens than the request needs is low too", "[router][quota]") {
  QuotaWatch watch;
  RateLimitFacts facts;
  facts.remaining_tokens = 5'000;
  facts.limit_tokens = 60'000;
  watch.Observe(facts, kStart);
  CHECK_FALSE(watch.Low(4'000, kStart));
  CHECK(watch.Low(6'000, kStart));
  CHECK(watch.Low(6'000, kStart)->of_tokens);
  watch.Sent(4'000);
  CHECK(watch.Low(1'500, kStart));
  // Without a word on the reset, it is believed for half a minute.
  CHECK_FALSE(watch.Low(6'000, kStart + absl::Seconds(30)));
}

std::vector<ApiKey> Keys(std::vector<std::string> secrets) {
  std::vector<ApiKey> keys;
  for (std::string& secret : secrets) keys.emplace_back(std::move(secret));
  return keys;
}

std::vector<KeyName> Names(const std::vector<ApiKey>& keys) {
  std::vector<KeyName> names;
  for (const ApiKey& key : keys) names.push_back(KeyNameOf(key));
  return names;
}

TEST_CASE("Keys are used in turn, a refused one not", "[router][keys][RTY-5]") {
  KeyRing ring;
  const auto names = Names(Keys({"k0", "k1", "k2"}));
  CHECK(ring.Pick({}, {}, -1, kStart) == -1);
  std::multiset<int> picked;
  for (int i = 0; i < 6; ++i) picked.insert(ring.Pick(names, {}, -1, kStart));
  for (int key = 0; key < 3; ++key) CHECK(picked.count(key) == 2);
  ring.Fail(names[1], FailureClass::kBadKey, {}, kStart, 0);
  for (int i = 0; i < 6; ++i) CHECK(ring.Pick(names, {}, -1, kStart) != 1);
  for (int i = 0; i < 6; ++i) CHECK(ring.Pick(names, {}, 0, kStart) == 2);
  // Nearly used up comes after usable, and before out.
  CHECK(ring.Pick(names, {&names[0], 1}, -1, kStart) == 2);
  CHECK(ring.Pick(names, {&names[0], 1}, 2, kStart) == 0);
}

TEST_CASE("A refused key is tried by one attempt when its time is over",
          "[router][keys][RTY-5]") {
  KeyRing ring;
  const auto names = Names(Keys({"k0", "k1"}));
  const KeyName bad = names[0];
  const FailureClass why =
      GENERATE(FailureClass::kBadKey, FailureClass::kOutOfMoney);
  Instant now = kStart;
  ring.Fail(bad, why, {}, now, 0);
  // Twice as long each time, five minutes at most.
  for (const int seconds : {10, 20, 40, 80, 160, 300, 300}) {
    CAPTURE(seconds);
    REQUIRE(ring.Out(bad, now));
    CHECK(ring.Out(bad, now)->back_at == now + absl::Seconds(seconds));
    now = now + absl::Seconds(seconds);
    CHECK_FALSE(ring.Out(bad, now));
    CHECK(ring.Pick({&bad, 1}, {}, -1, now) == 0);
    CHECK(ring.Out(bad, now)->in_trial);  // for all others it is still out
    CHECK(ring.Pick(names, {}, -1, now) == 1);
    ring.Fail(bad, why, {}, now, 0);
  }
  now = now + absl::Minutes(5);
  CHECK(ring.Pick({&bad, 1}, {}, -1, now) == 0);
  SECTION("and is back after an answer") {
    ring.Succeed(bad, now);
    CHECK_FALSE(ring.Out(bad, now));
    CHECK(ring.all_in());
  }
  SECTION("a trial that vanishes is given up after 30 s") {
    CHECK_FALSE(ring.Out(bad, now + absl::Seconds(30)));
  }
  SECTION("a trial that ends for another reason says nothing") {
    ring.Fail(bad, FailureClass::kServerError, {}, now, 0);
    CHECK_FALSE(ring.Out(bad, now));
  }
}

TEST_CASE("A rate-limited key rests as long as asked, then all may use it",
          "[router][keys][RTY-5]") {
  KeyRing ring;
  const auto names = Names(Keys({"k0"}));
  ring.Fail(names[0], FailureClass::kRateLimited, absl::Seconds(40), kStart, 0);
  CHECK(ring.Out(names[0], kStart + absl::Seconds(39)));
  const Instant back = kStart + absl::Seconds(40);
  CHECK(ring.Pick(names, {}, -1, back) == 0);
  CHECK_FALSE(ring.TakeTrial(names[0], back));
}

TEST_CASE("A key swapped in by a reload starts afresh",
          "[router][keys][RTY-5]") {
  KeyRing ring;
  const auto before = Names(Keys({"old", "good"}));
  ring.Fail(before[0], FailureClass::kBadKey, {}, kStart, 0);
  CHECK_FALSE(ring.Out(Names(Keys({"new"}))[0], kStart));
  // It is the key that is out, wherever it stands.
  CHECK(ring.Pick(Names(Keys({"good", "old"})), {}, -1, kStart) == 0);
  // Nobody uses it any more, and it is forgotten.
  const auto after = Names(Keys({"new", "good"}));
  CHECK(ring.Pick(after, {}, -1, kStart + absl::Hours(2)) >= 0);
  CHECK_FALSE(ring.all_in());
  CHECK(ring.Pick(after, {}, -1, kStart + absl::Hours(3)) >= 0);
  CHECK(ring.all_in());
}

TEST_CASE("A look brings back a refused key, not an empty account",
          "[router][keys][HLT-1]") {
  KeyRing ring;
  const auto names = Names(Keys({"k0", "k1"}));
  ring.Fail(names[0], FailureClass::kBadKey, {}, kStart, 0);
  ring.Fail(names[1], FailureClass::kOutOfMoney, {}, kStart, 0);
  for (const KeyName name : names) ring.EndEarly(name, kStart);
  CHECK_FALSE(ring.Out(names[0], kStart));
  CHECK(ring.Out(names[1], kStart));
}

TEST_CASE("Repeats are a fifth of first attempts and ten, over ten seconds",
          "[router][budget]") {
  RetryBudget budget;
  int repeats = 0;
  const auto drain = [&](Instant now) {
    while (budget.TakeRepeat(now)) ++repeats;
  };
  drain(kStart);
  CHECK(repeats == 10);
  for (int i = 0; i < 1000; ++i) budget.First(kStart + absl::Seconds(i / 200));
  drain(kStart + absl::Seconds(5));
  CHECK(repeats == 210);
  drain(kStart + absl::Seconds(9));
  CHECK(repeats == 210);
  // All of it is forgotten again.
  repeats = 0;
  drain(kStart + absl::Seconds(20));
  CHECK(repeats == 10);
}

}  // namespace
}  // namespace llm
