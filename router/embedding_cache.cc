#include "router/embedding_cache.h"

#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "router/router.h"

namespace llm {
namespace {

// List node, index slot and control block, rounded up.
constexpr int64_t kEntryBytes = 200;

std::string_view BytesOf(const Digest& digest) {
  static_assert(sizeof(Digest) == 2 * sizeof(uint64_t));
  return {reinterpret_cast<const char*>(&digest), sizeof(Digest)};
}

std::string TokenBytes(const v1::TokenInput& input) {
  std::string bytes(static_cast<size_t>(input.tokens_size()) * sizeof(int32_t),
                    '\0');
  std::memcpy(bytes.data(), input.tokens().data(), bytes.size());
  return bytes;
}

}  // namespace

std::optional<EmbeddingCache::Space> EmbeddingCache::Space::Of(
    const Caller& caller, const RouteTarget& target,
    const v1::CreateEmbeddingsRequest& request) {
  if (caller.tenant.empty()) return std::nullopt;
  return Space(DigestOf(
      {caller.tenant, target.public_model().value,
       target.deployment->upstream_model.value,
       request.has_dimensions() ? absl::StrCat(request.dimensions()) : "",
       request.extra_json()}));
}

Digest EmbeddingCache::KeyOf(const Space& space,
                             const v1::CreateEmbeddingsRequest& request,
                             size_t input) {
  const int at = static_cast<int>(input);
  if (!request.input().empty()) {
    return DigestOf({BytesOf(space.digest_), "text", request.input(at)});
  }
  return DigestOf(
      {BytesOf(space.digest_), "tokens", TokenBytes(request.token_inputs(at))});
}

int64_t EmbeddingCache::CostOf(const Entry& entry) {
  return kEntryBytes +
         static_cast<int64_t>(entry.vector->size() * sizeof(float));
}

EmbeddingCache::Vector EmbeddingCache::Find(
    const Space& space, const v1::CreateEmbeddingsRequest& request,
    size_t input) {
  const Digest key = KeyOf(space, request, input);
  const Instant now = clock_.Monotonic();
  MutexLock lock(mutex_);
  const auto found = index_.find(key);
  if (found != index_.end() && now - found->second->made < limits_.max_age) {
    entries_.splice(entries_.begin(), entries_, found->second);
    ++hits_;
    return found->second->vector;
  }
  if (found != index_.end()) Drop(found->second);
  ++misses_;
  return nullptr;
}

void EmbeddingCache::Keep(const Space& space,
                          const v1::CreateEmbeddingsRequest& request,
                          size_t input, std::vector<float> vector) {
  Entry entry;
  entry.key = KeyOf(space, request, input);
  entry.vector = std::make_shared<const std::vector<float>>(std::move(vector));
  entry.made = clock_.Monotonic();
  const int64_t cost = CostOf(entry);
  MutexLock lock(mutex_);
  if (cost > limits_.max_bytes) return;
  const auto known = index_.find(entry.key);
  if (known != index_.end()) Drop(known->second);
  while (bytes_ + cost > limits_.max_bytes) Drop(std::prev(entries_.end()));
  entries_.push_front(std::move(entry));
  index_.emplace(entries_.front().key, entries_.begin());
  bytes_ += cost;
}

void EmbeddingCache::Drop(Entries::iterator entry) {
  bytes_ -= CostOf(*entry);
  index_.erase(entry->key);
  entries_.erase(entry);
}

int64_t EmbeddingCache::bytes() const {
  const MutexLock lock(mutex_);
  return bytes_;
}

}  // namespace llm
