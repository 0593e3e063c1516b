// The part of a call that is about embeddings: what is left to ask for, how an
// attempt is made, and what the caller gets of it. Everything else of such a
// call (plan, admission, places, retries, rows) is a chat's (call.h).
//
// Vectors of one request come from one deployment, or from the cache of its
// vector space. What came before a failure is kept for a repeat at the same
// deployment and forgotten for another.
//
// Threads:   The call's event loop.
// Ownership: `request` and `cache` (null: none) outlive the job.
#ifndef LLM_ROUTER_EMBED_JOB_H_
#define LLM_ROUTER_EMBED_JOB_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/core/chat_request.h"
#include "adapters/core/provider.h"
#include "router/cost_meter.h"
#include "router/embedding_cache.h"
#include "router/route_plan.h"

namespace llm {

// Model, task and tags of the request, where a call looks for them.
ChatRequest EnvelopeOf(const v1::CreateEmbeddingsRequest& request);

class EmbedJob {
 public:
  EmbedJob(const v1::CreateEmbeddingsRequest& request, EmbeddingCache* cache);

  const EmbedNeeds& needs() const { return needs_; }

  // Once, with a target of the plan: takes what is remembered for `caller`.
  void Recall(const Caller& caller, const RouteTarget& target);
  // Nothing is left to ask for.
  bool whole() const { return done_ == missing_.size(); }
  int inputs() const { return static_cast<int>(total_); }
  int cached() const { return static_cast<int>(total_ - missing_.size()); }

  // Asks `provider` (null: it is not loaded) for what is left. Never throws,
  // never null.
  Task<std::unique_ptr<AttemptResult>> Attempt(Provider* provider,
                                               const AttemptContext& context,
                                               std::string_view deployment);
  // Of what the last attempt brought.
  int64_t estimated_tokens() const { return estimated_tokens_; }

  // Once after each attempt. What the vectors of the answer took: of the
  // attempts at their deployment; what went elsewhere is in the call's cost.
  void Count(const AttemptRecord& attempt) { taken_.Add(attempt); }
  const TokenUsage& usage() const { return taken_.usage; }

  // Once it is whole: remembers what was new, and hands the vectors out.
  v1::CreateEmbeddingsResponse TakeResponse();

 private:
  v1::CreateEmbeddingsRequest Left() const;
  int64_t TokensOf(size_t input) const;

  const v1::CreateEmbeddingsRequest& request_;
  EmbeddingCache* const cache_;
  const EmbedNeeds needs_;
  const size_t total_;
  std::optional<EmbeddingCache::Space> space_;
  std::vector<std::vector<float>> vectors_;  // by input
  // Inputs that are asked for, and how many of them have come.
  std::vector<size_t> missing_;
  size_t done_ = 0;
  // Where they came from.
  std::string deployment_;
  CallTotals taken_;
  int64_t estimated_tokens_ = 0;
};

}  // namespace llm

#endif  // LLM_ROUTER_EMBED_JOB_H_
