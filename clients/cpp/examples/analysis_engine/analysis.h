// One analysis of one symbol: the tool loop, then the report as a stream.
//
// Threads: One analysis in each thread; they share the client.
#ifndef ANALYSIS_ENGINE_ANALYSIS_H_
#define ANALYSIS_ENGINE_ANALYSIS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "llm_service/client.h"

struct AnalysisOptions {
  std::string model = "auto";
  std::string run_id;
  // For the whole analysis: all turns, tools and the report.
  absl::Duration deadline = absl::Seconds(300);
  llm::client::CancelToken cancel;
};

struct Report {
  std::string text;
  int turns = 0;
  int tool_calls = 0;
  // Of all turns, in and out.
  int64_t tokens = 0;
};

// `on_text` hears the report as it is written, in this thread. A report that
// was cut (by the output limit, a filter) or is empty is an error.
absl::StatusOr<Report> Analyse(
    const llm::client::Client& client, const std::string& symbol,
    const AnalysisOptions& options,
    const std::function<void(const std::string&)>& on_text);

#endif  // ANALYSIS_ENGINE_ANALYSIS_H_
