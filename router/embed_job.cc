#include "router/embed_job.h"

#include <numeric>
#include <utility>

#include "router/attempt.h"
#include "router/router.h"

namespace llm {
namespace {

size_t InputsIn(const v1::CreateEmbeddingsRequest& request) {
  return static_cast<size_t>(request.input().empty()
                                 ? request.token_inputs_size()
                                 : request.input_size());
}

}  // namespace

ChatRequest EnvelopeOf(const v1::CreateEmbeddingsRequest& request) {
  ChatRequest envelope;
  v1::ChatCompletionRequest& message = envelope.message;
  message.set_model(request.model());
  message.set_user(request.user());
  message.set_run_id(request.run_id());
  message.set_agent(request.agent());
  message.set_task_type(request.task_type());
  message.set_priority(request.priority());
  message.set_strict(request.strict());
  *message.mutable_metadata() = request.metadata();
  if (request.has_timeout()) *message.mutable_timeout() = request.timeout();
  return envelope;
}

EmbedJob::EmbedJob(const v1::CreateEmbeddingsRequest& request,
                   EmbeddingCache* cache)
    : request_(request),
      cache_(cache),
      needs_(NeedsOf(request)),
      total_(InputsIn(request)),
      vectors_(total_),
      missing_(total_) {
  std::iota(missing_.begin(), missing_.end(), size_t{0});
}

void EmbedJob::Recall(const Caller& caller, const RouteTarget& target) {
  if (cache_ == nullptr) return;
  space_ = EmbeddingCache::Space::Of(caller, target, request_);
  if (!space_) return;
  std::erase_if(missing_, [this](size_t input) {
    const EmbeddingCache::Vector known = cache_->Find(*space_, request_, input);
    if (known != nullptr) vectors_[input] = *known;
    return known != nullptr;
  });
}

int64_t EmbedJob::TokensOf(size_t input) const {
  const int at = static_cast<int>(input);
  return request_.input().empty() ? request_.token_inputs(at).tokens_size()
                                  : EstimateTokens(request_.input(at));
}

v1::CreateEmbeddingsRequest EmbedJob::Left() const {
  v1::CreateEmbeddingsRequest left;
  left.set_model(request_.model());
  left.set_user(request_.user());
  left.set_extra_json(request_.extra_json());
  if (request_.has_dimensions()) left.set_dimensions(request_.dimensions());
  for (size_t i = done_; i < missing_.size(); ++i) {
    const int at = static_cast<int>(missing_[i]);
    if (request_.input().empty()) {
      *left.add_token_inputs() = request_.token_inputs(at);
    } else {
      left.add_input(request_.input(at));
    }
  }
  return left;
}

Task<std::unique_ptr<AttemptResult>> EmbedJob::Attempt(
    Provider* provider, const AttemptContext& context,
    std::string_view deployment) {
  if (deployment_ != deployment) {
    done_ = 0;
    taken_ = {};
    deployment_ = std::string(deployment);
  }
  EmbedResult result;
  const size_t asked = missing_.size() - done_;
  if (asked == total_) {
    result = co_await RunEmbedAttempt(provider, request_, asked, context);
  } else {
    const v1::CreateEmbeddingsRequest left = Left();
    result = co_await RunEmbedAttempt(provider, left, asked, context);
  }
  estimated_tokens_ = 0;
  for (std::vector<float>& vector : result.vectors) {
    const size_t input = missing_[done_++];
    estimated_tokens_ += TokensOf(input);
    vectors_[input] = std::move(vector);
  }
  co_return std::make_unique<AttemptResult>(std::move(result.attempt));
}

v1::CreateEmbeddingsResponse EmbedJob::TakeResponse() {
  if (space_) {
    for (const size_t input : missing_) {
      cache_->Keep(*space_, request_, input, vectors_[input]);
    }
  }
  v1::CreateEmbeddingsResponse response;
  response.set_object("list");
  for (size_t i = 0; i < vectors_.size(); ++i) {
    v1::Embedding& embedding = *response.add_data();
    embedding.set_object("embedding");
    embedding.set_index(static_cast<int32_t>(i));
    embedding.mutable_embedding()->Assign(vectors_[i].begin(),
                                          vectors_[i].end());
    vectors_[i] = {};
  }
  return response;
}

}  // namespace llm
