#include "server/metrics/loop_metrics.h"

namespace llm::server {
namespace {

void Increment(Count* count) { count->fetch_add(1, std::memory_order_relaxed); }

void ObserveUsage(const AttemptRecord& record, SeriesCells* cells) {
  const TokenUsage& usage = record.usage;
  if (const std::optional<TokenCount> input = usage.TotalInput()) {
    cells->input_tokens.Observe(kTokenBounds, static_cast<double>(*input));
  }
  if (!usage.output.has_value()) return;
  cells->output_tokens.Observe(kTokenBounds,
                               static_cast<double>(*usage.output));
  if (record.outcome != "ok" || !record.time_to_first_content.has_value() ||
      *usage.output < 2) {
    return;
  }
  const absl::Duration rest = record.duration - *record.time_to_first_content;
  if (rest < absl::ZeroDuration()) return;
  cells->per_token.Observe(
      kPerTokenBounds,
      absl::ToDoubleSeconds(rest) / static_cast<double>(*usage.output - 1));
}

}  // namespace

void LoopMetrics::OnFirstContent(const AttemptIntent& intent,
                                 absl::Duration since_dispatch) {
  const MetricGeneration& now = *current_->load(std::memory_order_acquire);
  const size_t at =
      now.labels.Find(intent.provider.value, intent.public_model.value);
  Cells(now).by_series[at].first_token.Observe(
      kFirstTokenBounds, absl::ToDoubleSeconds(since_dispatch));
}

void LoopMetrics::OnAttemptFinished(const AttemptRecord& record) {
  const MetricGeneration& now = *current_->load(std::memory_order_acquire);
  const size_t at = now.labels.Find(record.intent.provider.value,
                                    record.intent.public_model.value);
  LoopCells& loop = Cells(now);
  SeriesCells& cells = loop.by_series[at];
  Increment(&cells.attempts[WordIndex(kAttemptOutcomes, record.outcome)]);
  ObserveUsage(record, &cells);
  Increment(
      &loop.price_lookups[WordIndex(kPriceStatuses, record.price_status)]);
  Increment(&loop.usage_sources.at(static_cast<size_t>(record.usage_source)));
  // Sums hold one currency each; prices are looked up in the provider's.
  if (record.cost.has_value() &&
      record.cost->currency.code == now.labels.series()[at].currency) {
    cells.cost_pico.fetch_add(record.cost->pico, std::memory_order_relaxed);
  }
}

void LoopMetrics::OnFallback(const AttemptRecord& failed,
                             const AttemptIntent&) {
  const MetricGeneration& now = *current_->load(std::memory_order_acquire);
  const size_t at = now.labels.Find(failed.intent.provider.value,
                                    failed.intent.public_model.value);
  Increment(&Cells(now).by_series[at].fallbacks);
}

void LoopMetrics::OnCallFinished(const RequestRecord& record,
                                 absl::Duration overhead) {
  const MetricGeneration& now = *current_->load(std::memory_order_acquire);
  const std::string& model = record.public_model.value.empty()
                                 ? record.requested_model.value
                                 : record.public_model.value;
  const size_t at = now.labels.Find(record.provider.value, model);
  LoopCells& loop = Cells(now);
  SeriesCells& cells = loop.by_series[at];
  Increment(&cells.requests[WordIndex(kRequestOutcomes, record.outcome)]);
  cells.duration.Observe(kDurationBounds,
                         absl::ToDoubleSeconds(record.duration));
  loop.overhead.Observe(kOverheadBounds, absl::ToDoubleSeconds(overhead));
}

void LoopMetrics::OnQueued(const QueuedCall& call) {
  const MetricGeneration& now = *current_->load(std::memory_order_acquire);
  const size_t at =
      now.labels.Find(call.provider.value, call.public_model.value);
  Cells(now).by_series[at].queue_wait.Observe(
      kQueueBounds, absl::ToDoubleSeconds(call.waited));
}

void LoopMetrics::OnReplayed(const ReplayedCall&) {
  const MetricGeneration& now = *current_->load(std::memory_order_acquire);
  Increment(&Cells(now).replays);
}

// Nobody knows yet what was asked for: both names are "other".
void LoopMetrics::OnRefused(const RefusedCall& refused) {
  const MetricGeneration& now = *current_->load(std::memory_order_acquire);
  SeriesCells& cells = Cells(now).by_series[now.labels.Find({}, {})];
  Increment(&cells.requests[WordIndex(kRequestOutcomes, refused.code)]);
}

}  // namespace llm::server
