// Vectors that were paid for once, by exactly what was asked: a tenant that
// embeds the same text again is answered from here. Off unless configured.
//
// Tenants never meet: a key is made of a Space, a Space of a caller, and there
// is no other way to make either.
//
// Threads: Safe from any event loop; one short lock per input.
// Bounds:  Bytes and age; the vector that was not used for longest goes first.
//          Memory only: a restart forgets.
// Privacy: Keys are digests; neither texts nor tokens are kept.
#ifndef LLM_ROUTER_EMBEDDING_CACHE_H_
#define LLM_ROUTER_EMBEDDING_CACHE_H_

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "adapters/core/clock.h"
#include "adapters/core/mutex.h"
#include "llm/v1/embeddings.pb.h"
#include "router/digest.h"
#include "router/route_plan.h"

namespace llm {

struct Caller;

class EmbeddingCache {
 public:
  struct Limits {
    int64_t max_bytes = 0;
    // Since a vector was made, however often it was used.
    absl::Duration max_age = absl::Hours(24);
  };
  using Vector = std::shared_ptr<const std::vector<float>>;

  // Whose vectors, and of which kind: tenant, public model, upstream model,
  // dimensions and the fields that we do not model.
  class Space {
   public:
    // nullopt for a caller without a tenant: nothing is remembered for it.
    static std::optional<Space> Of(const Caller& caller,
                                   const RouteTarget& target,
                                   const v1::CreateEmbeddingsRequest& request);

   private:
    friend class EmbeddingCache;
    explicit Space(Digest digest) : digest_(digest) {}
    Digest digest_;
  };

  // `clock` outlives the cache.
  EmbeddingCache(const Clock& clock, Limits limits)
      : clock_(clock), limits_(limits) {}

  // Null where it is not known. Counts a hit or a miss.
  Vector Find(const Space& space, const v1::CreateEmbeddingsRequest& request,
              size_t input);
  void Keep(const Space& space, const v1::CreateEmbeddingsRequest& request,
            size_t input, std::vector<float> vector);

  int64_t hits() const { return hits_; }
  int64_t misses() const { return misses_; }
  int64_t bytes() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Entry {
    Digest key;
    Vector vector;
    Instant made;
  };
  using Entries = std::list<Entry>;

  static Digest KeyOf(const Space& space,
                      const v1::CreateEmbeddingsRequest& request, size_t input);
  static int64_t CostOf(const Entry& entry);
  void Drop(Entries::iterator entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  const Limits limits_;
  std::atomic<int64_t> hits_{0};
  std::atomic<int64_t> misses_{0};
  mutable Mutex mutex_;
  // Most recently used first.
  Entries entries_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<Digest, Entries::iterator> index_ ABSL_GUARDED_BY(mutex_);
  int64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace llm

#endif  // LLM_ROUTER_EMBEDDING_CACHE_H_
