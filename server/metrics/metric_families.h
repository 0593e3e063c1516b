// Sums of all loops and generations, as Prometheus families.
#ifndef LLM_SERVER_METRICS_METRIC_FAMILIES_H_
#define LLM_SERVER_METRICS_METRIC_FAMILIES_H_

#include <prometheus/metric_family.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/metrics/loop_metrics.h"

namespace llm::server {

using Labels = std::vector<std::pair<std::string, std::string>>;

prometheus::MetricFamily MakeFamily(std::string name, std::string help,
                                    prometheus::MetricType type);
void AddValue(Labels labels, double value, prometheus::MetricFamily* family);

// Everything the loops count. Series that nothing has happened to are left
// out.
std::vector<prometheus::MetricFamily> CountedFamilies(
    const std::vector<std::unique_ptr<MetricGeneration>>& generations);

}  // namespace llm::server

#endif  // LLM_SERVER_METRICS_METRIC_FAMILIES_H_
