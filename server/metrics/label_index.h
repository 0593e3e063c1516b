// The label values that metrics may take: names of the configuration, and
// "other" for whatever else callers or providers say [MET-1].
//
// Threads: Immutable once built; share freely.
#ifndef LLM_SERVER_METRICS_LABEL_INDEX_H_
#define LLM_SERVER_METRICS_LABEL_INDEX_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "router/route_table.h"

namespace llm::server {

struct SeriesLabels {
  std::string provider;
  std::string model;
  std::string currency;  // what the provider bills in; empty for "other"
  // "embeddings" of models that make them, else "chat".
  std::string operation = "chat";

  bool operator==(const SeriesLabels&) const = default;
};

class LabelIndex {
 public:
  explicit LabelIndex(const RouteTable& table);

  // The series of a provider and a public model: every configured pair has
  // one, each provider and each model has one with "other", and one is for
  // all the rest.
  size_t Find(std::string_view provider, std::string_view model) const;
  const std::vector<SeriesLabels>& series() const { return series_; }

 private:
  size_t Add(uint32_t provider, uint32_t model, const RouteTable& table);

  std::vector<std::string> provider_names_;  // 0 is "other"
  std::vector<std::string> model_names_;     // 0 is "other"
  absl::flat_hash_map<std::string, uint32_t> providers_;
  absl::flat_hash_map<std::string, uint32_t> models_;
  absl::flat_hash_map<uint64_t, size_t> pairs_;
  std::vector<SeriesLabels> series_;
};

// Position of `word` in a closed list; the list's size for any other.
template <size_t kSize>
size_t WordIndex(const std::string_view (&words)[kSize],
                 std::string_view word) {
  for (size_t i = 0; i < kSize; ++i) {
    if (words[i] == word) return i;
  }
  return kSize;
}

}  // namespace llm::server

#endif  // LLM_SERVER_METRICS_LABEL_INDEX_H_
