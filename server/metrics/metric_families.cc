#include "server/metrics/metric_families.h"

#include <functional>
#include <limits>
#include <map>

namespace llm::server {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

using Generations = std::vector<std::unique_ptr<MetricGeneration>>;
// Calls `visit` with every series' labels and cells, of every loop.
void ForEachSeries(
    const Generations& generations,
    const std::function<void(const SeriesLabels&, const SeriesCells&)>& visit) {
  for (const auto& generation : generations) {
    const std::vector<SeriesLabels>& labels = generation->labels.series();
    for (const auto& loop : generation->cells) {
      for (size_t i = 0; i < labels.size(); ++i) {
        visit(labels[i], loop->by_series[i]);
      }
    }
  }
}

template <size_t kBounds>
struct HistogramSum {
  std::array<uint64_t, kBounds + 1> buckets{};
  double sum = 0;

  void Add(const Histogram<kBounds>& part) {
    for (size_t i = 0; i <= kBounds; ++i) {
      buckets[i] += part.buckets[i].load(std::memory_order_relaxed);
    }
    sum += part.sum.load(std::memory_order_relaxed);
  }

  // Appends to the family, if anything was observed.
  void Emit(const std::array<double, kBounds>& bounds, const Labels& labels,
            MetricFamily* family) const {
    prometheus::ClientMetric metric;
    uint64_t total = 0;
    for (size_t i = 0; i <= kBounds; ++i) {
      total += buckets[i];
      metric.histogram.bucket.push_back(
          {total,
           i < kBounds ? bounds[i] : std::numeric_limits<double>::infinity()});
    }
    if (total == 0) return;
    metric.histogram.sample_count = total;
    metric.histogram.sample_sum = sum;
    for (const auto& [name, value] : labels) {
      metric.label.push_back({name, value});
    }
    family->metric.push_back(std::move(metric));
  }
};

Labels GenAiLabels(const SeriesLabels& series) {
  return {{"gen_ai_operation_name", series.operation},
          {"gen_ai_provider_name", series.provider},
          {"gen_ai_request_model", series.model}};
}

Labels OwnLabels(const SeriesLabels& series) {
  return {{"provider", series.provider}, {"model", series.model}};
}

// One histogram member of SeriesCells as a family of its own.
template <size_t kBounds>
void AddHistogram(const Generations& generations,
                  Histogram<kBounds> SeriesCells::*member,
                  const std::array<double, kBounds>& bounds,
                  const Labels& extra, MetricFamily* family) {
  std::map<Labels, HistogramSum<kBounds>> sums;
  ForEachSeries(generations,
                [&](const SeriesLabels& labels, const SeriesCells& cells) {
                  Labels key = GenAiLabels(labels);
                  key.insert(key.end(), extra.begin(), extra.end());
                  sums[std::move(key)].Add(cells.*member);
                });
  for (const auto& [labels, sum] : sums) sum.Emit(bounds, labels, family);
}

template <size_t kWords>
void AddOutcomes(const Generations& generations,
                 std::array<Count, kWords + 1> SeriesCells::*member,
                 const std::string_view (&words)[kWords],
                 MetricFamily* family) {
  std::map<Labels, uint64_t> sums;
  ForEachSeries(
      generations, [&](const SeriesLabels& series, const SeriesCells& cells) {
        for (size_t i = 0; i <= kWords; ++i) {
          const uint64_t n = (cells.*member)[i].load(std::memory_order_relaxed);
          if (n == 0) continue;
          Labels labels = OwnLabels(series);
          labels.emplace_back("outcome", i < kWords ? words[i] : "other");
          sums[std::move(labels)] += n;
        }
      });
  for (const auto& [labels, n] : sums) {
    AddValue(labels, static_cast<double>(n), family);
  }
}

MetricFamily FallbackFamily(const Generations& generations) {
  MetricFamily family =
      MakeFamily("llm_service_fallbacks_total",
                 "Failed attempts that led elsewhere.", MetricType::Counter);
  std::map<Labels, uint64_t> sums;
  ForEachSeries(
      generations, [&](const SeriesLabels& series, const SeriesCells& cells) {
        const uint64_t n = cells.fallbacks.load(std::memory_order_relaxed);
        if (n > 0) sums[OwnLabels(series)] += n;
      });
  for (const auto& [labels, n] : sums) {
    AddValue(labels, static_cast<double>(n), &family);
  }
  return family;
}

MetricFamily CostFamily(const Generations& generations) {
  MetricFamily family =
      MakeFamily("llm_service_cost_total",
                 "Known cost of attempts in the provider's currency; the "
                 "ledger has the exact sums.",
                 MetricType::Counter);
  std::map<Labels, double> sums;
  ForEachSeries(
      generations, [&](const SeriesLabels& series, const SeriesCells& cells) {
        const int64_t pico = cells.cost_pico.load(std::memory_order_relaxed);
        if (pico == 0) return;
        Labels labels = OwnLabels(series);
        labels.emplace_back("currency", series.currency);
        sums[std::move(labels)] +=
            static_cast<double>(pico) / static_cast<double>(kPicoPerUnit);
      });
  for (const auto& [labels, value] : sums) AddValue(labels, value, &family);
  return family;
}

MetricFamily OverheadFamily(const Generations& generations) {
  MetricFamily family =
      MakeFamily("llm_service_overhead_seconds",
                 "Time spent here per request, waits for upstreams, callers "
                 "and timers excluded.",
                 MetricType::Histogram);
  HistogramSum<kOverheadBounds.size()> sum;
  for (const auto& generation : generations) {
    for (const auto& loop : generation->cells) sum.Add(loop->overhead);
  }
  sum.Emit(kOverheadBounds, {}, &family);
  return family;
}

MetricFamily QueueFamily(const Generations& generations) {
  MetricFamily family =
      MakeFamily("llm_service_queue_wait_seconds",
                 "Waits for a place at a provider that is at max_in_flight.",
                 MetricType::Histogram);
  std::map<Labels, HistogramSum<kQueueBounds.size()>> sums;
  ForEachSeries(generations,
                [&](const SeriesLabels& series, const SeriesCells& cells) {
                  sums[{{"provider", series.provider}}].Add(cells.queue_wait);
                });
  for (const auto& [labels, sum] : sums) {
    sum.Emit(kQueueBounds, labels, &family);
  }
  return family;
}

MetricFamily ReplayFamily(const Generations& generations) {
  MetricFamily family =
      MakeFamily("llm_service_idempotent_replays_total",
                 "Requests answered from an earlier one's answer by their "
                 "Idempotency-Key.",
                 MetricType::Counter);
  uint64_t n = 0;
  for (const auto& generation : generations) {
    for (const auto& loop : generation->cells) {
      n += loop->replays.load(std::memory_order_relaxed);
    }
  }
  AddValue({}, static_cast<double>(n), &family);
  return family;
}

MetricFamily PriceFamily(const Generations& generations) {
  MetricFamily family =
      MakeFamily("llm_service_price_lookups_total",
                 "Price lookups of attempts by result.", MetricType::Counter);
  constexpr size_t kWords = std::size(kPriceStatuses);
  for (size_t i = 0; i <= kWords; ++i) {
    uint64_t n = 0;
    for (const auto& generation : generations) {
      for (const auto& loop : generation->cells) {
        n += loop->price_lookups[i].load(std::memory_order_relaxed);
      }
    }
    AddValue(
        {{"status", std::string(i < kWords ? kPriceStatuses[i] : "other")}},
        static_cast<double>(n), &family);
  }
  return family;
}

MetricFamily UsageSourceFamily(const Generations& generations) {
  MetricFamily family = MakeFamily(
      "llm_service_usage_source_total",
      "Upstream calls by where their token counts come from; failed ones "
      "mostly have none.",
      MetricType::Counter);
  for (size_t i = 0; i < std::size(kUsageSources); ++i) {
    uint64_t n = 0;
    for (const auto& generation : generations) {
      for (const auto& loop : generation->cells) {
        n += loop->usage_sources[i].load(std::memory_order_relaxed);
      }
    }
    AddValue({{"source", std::string(kUsageSources[i])}},
             static_cast<double>(n), &family);
  }
  return family;
}

}  // namespace

MetricFamily MakeFamily(std::string name, std::string help, MetricType type) {
  MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  return family;
}

void AddValue(Labels labels, double value, MetricFamily* family) {
  prometheus::ClientMetric metric;
  for (auto& [name, text] : labels) {
    metric.label.push_back({std::move(name), std::move(text)});
  }
  if (family->type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family->metric.push_back(std::move(metric));
}

std::vector<MetricFamily> CountedFamilies(const Generations& generations) {
  std::vector<MetricFamily> families;
  families.reserve(20);
  const auto add = [&](std::string name, std::string help, MetricType type) {
    families.push_back(MakeFamily(std::move(name), std::move(help), type));
    return &families.back();
  };
  constexpr auto kHistogram = MetricType::Histogram;
  MetricFamily* tokens =
      add("gen_ai_client_token_usage", "Tokens per attempt.", kHistogram);
  AddHistogram(generations, &SeriesCells::input_tokens, kTokenBounds,
               {{"gen_ai_token_type", "input"}}, tokens);
  AddHistogram(generations, &SeriesCells::output_tokens, kTokenBounds,
               {{"gen_ai_token_type", "output"}}, tokens);
  AddHistogram(generations, &SeriesCells::duration, kDurationBounds, {},
               add("gen_ai_server_request_duration_seconds",
                   "Duration of requests.", kHistogram));
  AddHistogram(
      generations, &SeriesCells::first_token, kFirstTokenBounds, {},
      add("gen_ai_server_time_to_first_token_seconds",
          "From dispatch to the first content of an attempt.", kHistogram));
  AddHistogram(generations, &SeriesCells::per_token, kPerTokenBounds, {},
               add("gen_ai_server_time_per_output_token_seconds",
                   "Time per output token after the first.", kHistogram));
  AddOutcomes(generations, &SeriesCells::requests, kRequestOutcomes,
              add("llm_service_requests_total", "Requests by outcome.",
                  MetricType::Counter));
  AddOutcomes(generations, &SeriesCells::attempts, kAttemptOutcomes,
              add("llm_service_attempts_total", "Upstream calls by outcome.",
                  MetricType::Counter));
  families.push_back(FallbackFamily(generations));
  families.push_back(CostFamily(generations));
  families.push_back(OverheadFamily(generations));
  families.push_back(PriceFamily(generations));
  families.push_back(UsageSourceFamily(generations));
  families.push_back(QueueFamily(generations));
  families.push_back(ReplayFamily(generations));
  return families;
}

}  // namespace llm::server
