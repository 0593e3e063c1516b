// The process as its kernel sees it, under the names that Prometheus's own
// clients use: process_resident_memory_bytes and the like.
//
// Threads: Any. A family that cannot be read is left out.
#ifndef LLM_SERVER_METRICS_PROCESS_METRICS_H_
#define LLM_SERVER_METRICS_PROCESS_METRICS_H_

#include <prometheus/metric_family.h>

#include <optional>
#include <string_view>
#include <vector>

namespace llm::server {

// Of the text of /proc/self/stat.
struct ProcessStat {
  double cpu_seconds = 0;
  double start_after_boot_seconds = 0;
  double virtual_bytes = 0;
  double resident_bytes = 0;
};
std::optional<ProcessStat> ParseProcessStat(std::string_view text,
                                            double ticks_per_second,
                                            double page_bytes);

void AddProcess(std::vector<prometheus::MetricFamily>* families);

}  // namespace llm::server

#endif  // LLM_SERVER_METRICS_PROCESS_METRICS_H_
