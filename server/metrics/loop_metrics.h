// What one event loop has counted: plain atomics that only it writes, so the
// hot path meets no lock and no other core's cache line.
//
// Threads: Written by the loop, read by whoever renders.
// Units:   Times are nanoseconds, money pico-units: a counter holds 9.2
//          million units of a currency per series and loop.
#ifndef LLM_SERVER_METRICS_LOOP_METRICS_H_
#define LLM_SERVER_METRICS_LOOP_METRICS_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "router/call_observer.h"
#include "server/metrics/label_index.h"

namespace llm::server {

// Upper bounds in the unit of what is observed. OpenTelemetry's advice for
// GenAI metrics (semantic conventions 1.37, read 2026-11), and further up for
// answers that take minutes.
inline constexpr std::array<double, 14> kTokenBounds = {
    1,     4,     16,     64,      256,     1024,     4096,
    16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864};
inline constexpr std::array<double, 17> kDurationBounds = {
    0.01, 0.02,  0.04,  0.08,  0.16,  0.32,   0.64,   1.28,  2.56,
    5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68, 655.36};
inline constexpr std::array<double, 19> kFirstTokenBounds = {
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5,
    0.75,  1,     2.5,  5,    7.5,  10,   30,   60,  120};
inline constexpr std::array<double, 13> kPerTokenBounds = {
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5};
inline constexpr std::array<double, 14> kOverheadBounds = {
    0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001,
    0.002,   0.005,   0.01,    0.02,   0.05,   0.1,    1};
// Up to the default of queue_timeout, and further.
inline constexpr std::array<double, 12> kQueueBounds = {
    0.001, 0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120};

// Outcomes of requests and of attempts; anything else counts as "other".
inline constexpr std::string_view kRequestOutcomes[] = {
    "ok",
    "client_cancelled",
    "invalid_request",
    "invalid_api_key",
    "model_not_allowed",
    "model_not_found",
    "body_too_large",
    "rate_limited",
    "budget_exceeded",
    "context_length_exceeded",
    "content_filter",
    "provider_rejected",
    "provider_unavailable",
    "provider_rate_limited",
    "timeout",
    "overloaded",
    "idempotency_conflict",
    "internal"};
inline constexpr std::string_view kAttemptOutcomes[] = {
    "ok",           "client_cancelled", "lost",           "not_dispatched",
    "unsupported",  "invalid_request",  "context_length", "content_filter",
    "bad_key",      "permission",       "out_of_money",   "model_not_found",
    "rate_limited", "overloaded",       "server_error",   "timeout",
    "connect",      "transport",        "bad_answer",     "incomplete",
    "empty_answer", "cancelled",        "sink_failed"};
inline constexpr std::string_view kPriceStatuses[] = {
    "priced", "unknown_model", "unknown_tier", "unknown_usage"};
// By UsageSource.
inline constexpr std::string_view kUsageSources[] = {"none", "provider",
                                                     "partial", "estimated"};

using Count = std::atomic<uint64_t>;

template <size_t kBounds>
struct Histogram {
  std::array<Count, kBounds + 1> buckets{};
  std::atomic<double> sum{0};

  void Observe(const std::array<double, kBounds>& bounds, double value) {
    size_t i = 0;
    while (i < kBounds && value > bounds[i]) ++i;
    buckets[i].fetch_add(1, std::memory_order_relaxed);
    // One writer: no read-modify-write is needed.
    sum.store(sum.load(std::memory_order_relaxed) + value,
              std::memory_order_relaxed);
  }
};

struct SeriesCells {
  Histogram<kTokenBounds.size()> input_tokens;
  Histogram<kTokenBounds.size()> output_tokens;
  Histogram<kDurationBounds.size()> duration;
  Histogram<kFirstTokenBounds.size()> first_token;
  Histogram<kPerTokenBounds.size()> per_token;
  Histogram<kQueueBounds.size()> queue_wait;
  std::array<Count, std::size(kRequestOutcomes) + 1> requests{};
  std::array<Count, std::size(kAttemptOutcomes) + 1> attempts{};
  Count fallbacks{0};
  std::atomic<int64_t> cost_pico{0};
};

struct LoopCells {
  explicit LoopCells(size_t series) : by_series(series) {}
  std::vector<SeriesCells> by_series;
  Histogram<kOverheadBounds.size()> overhead;
  std::array<Count, std::size(kPriceStatuses) + 1> price_lookups{};
  std::array<Count, std::size(kUsageSources)> usage_sources{};
  Count replays{0};
};

// One configuration's labels and the counts made under it. Older generations
// stay for the sums: counters never go back.
struct MetricGeneration {
  MetricGeneration(const RouteTable& table, int loops) : labels(table) {
    for (int i = 0; i < loops; ++i) {
      cells.push_back(std::make_unique<LoopCells>(labels.series().size()));
    }
  }
  LabelIndex labels;
  std::vector<std::unique_ptr<LoopCells>> cells;  // by loop
};

// The observer of one loop.
class LoopMetrics : public CallObserver {
 public:
  LoopMetrics(const std::atomic<MetricGeneration*>* current, size_t loop)
      : current_(current), loop_(loop) {}

  void OnCallStarted(const CallIdentity&) override {}
  void OnAttemptStarted(const AttemptIntent&) override {}
  void OnFirstContent(const AttemptIntent& intent,
                      absl::Duration since_dispatch) override;
  void OnAttemptFinished(const AttemptRecord& record) override;
  void OnFallback(const AttemptRecord& failed,
                  const AttemptIntent& next) override;
  void OnCallFinished(const RequestRecord& record,
                      absl::Duration overhead) override;
  void OnQueued(const QueuedCall& call) override;
  void OnReplayed(const ReplayedCall& call) override;
  void OnRefused(const RefusedCall& refused) override;

 private:
  LoopCells& Cells(const MetricGeneration& generation) const {
    return *generation.cells[loop_];
  }

  const std::atomic<MetricGeneration*>* current_;
  size_t loop_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_METRICS_LOOP_METRICS_H_
