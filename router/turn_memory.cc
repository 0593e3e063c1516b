#include "router/turn_memory.h"

#include <list>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "adapters/core/mutex.h"
#include "router/digest.h"

namespace llm {
namespace {

// What an entry takes beside its turn: list, index, keys.
constexpr size_t kEntryBytes = 512;

bool SameTurn(const std::shared_ptr<const v1::Message>& a,
              const std::shared_ptr<const v1::Message>& b) {
  return a != nullptr && a->SerializeAsString() == b->SerializeAsString();
}

class LruTurnMemory : public TurnMemory {
 public:
  LruTurnMemory(const Clock& clock, TurnMemoryLimits limits)
      : clock_(clock), limits_(limits) {}

  void Keep(std::string_view tenant, const std::vector<std::string>& call_ids,
            v1::Message turn) override {
    const size_t bytes = turn.SpaceUsedLong() + kEntryBytes;
    if (bytes > limits_.max_turn_bytes || bytes > limits_.max_tenant_bytes ||
        bytes > limits_.max_bytes || call_ids.empty()) {
      return;
    }
    const auto shared = std::make_shared<const v1::Message>(std::move(turn));
    const Digest owner = DigestOf({tenant});
    const Instant now = clock_.Monotonic();
    MutexLock lock(mutex_);
    DropOld(now);
    // Counted in full for each id, though they share it: any of them may be
    // the last to be forgotten.
    for (const std::string& id : call_ids) {
      Insert({DigestOf({tenant, id}), owner, shared, bytes, now});
    }
  }

  std::shared_ptr<const v1::Message> Find(std::string_view tenant,
                                          std::string_view call_id) override {
    const Digest key = DigestOf({tenant, call_id});
    const Instant now = clock_.Monotonic();
    MutexLock lock(mutex_);
    DropOld(now);
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    const Entries::iterator entry = found->second;
    entry->used = now;
    entries_.splice(entries_.begin(), entries_, entry);
    Owner& owner = owners_[entry->owner];
    owner.order.splice(owner.order.begin(), owner.order, entry->place);
    return entry->turn;
  }

 private:
  struct Entry;
  using Entries = std::list<Entry>;
  struct Entry {
    Digest key;
    Digest owner;
    std::shared_ptr<const v1::Message> turn;
    size_t bytes = 0;
    Instant used;
    // Where its owner's order has it.
    std::list<Entries::iterator>::iterator place = {};
  };
  // Most recently used first, like the order of all.
  struct Owner {
    std::list<Entries::iterator> order;
    size_t bytes = 0;
  };

  void Insert(Entry entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto known = index_.find(entry.key);
    if (known != index_.end()) {
      // Some providers count their ids from one in every conversation: whose
      // turn this is nobody can tell any more, so it is nobody's.
      if (!SameTurn(known->second->turn, entry.turn)) entry.turn = nullptr;
      Drop(known->second);
    }
    const Digest owner = entry.owner;
    while (owners_[owner].bytes + entry.bytes > limits_.max_tenant_bytes) {
      Drop(owners_[owner].order.back());
    }
    while (bytes_ + entry.bytes > limits_.max_bytes) {
      Drop(std::prev(entries_.end()));
    }
    bytes_ += entry.bytes;
    entries_.push_front(std::move(entry));
    const Entries::iterator at = entries_.begin();
    Owner& of = owners_[owner];
    of.bytes += at->bytes;
    of.order.push_front(at);
    at->place = of.order.begin();
    index_.emplace(at->key, at);
  }

  void DropOld(Instant now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    while (!entries_.empty() && now - entries_.back().used > limits_.max_age) {
      Drop(std::prev(entries_.end()));
    }
  }

  void Drop(Entries::iterator at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto owner = owners_.find(at->owner);
    owner->second.bytes -= at->bytes;
    owner->second.order.erase(at->place);
    if (owner->second.order.empty()) owners_.erase(owner);
    bytes_ -= at->bytes;
    index_.erase(at->key);
    entries_.erase(at);
  }

  const Clock& clock_;
  const TurnMemoryLimits limits_;
  Mutex mutex_;
  Entries entries_ ABSL_GUARDED_BY(mutex_);  // most recently used first
  absl::flat_hash_map<Digest, Entries::iterator> index_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<Digest, Owner> owners_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace

std::unique_ptr<TurnMemory> MakeTurnMemory(const Clock& clock,
                                           TurnMemoryLimits limits) {
  return std::make_unique<LruTurnMemory>(clock, limits);
}

}  // namespace llm
