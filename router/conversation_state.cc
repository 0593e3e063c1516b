#include "router/conversation_state.h"

#include <list>

#include "absl/container/flat_hash_map.h"
#include "adapters/core/mutex.h"
#include "router/digest.h"

namespace llm {
namespace {

// An ad-hoc deployment has a caller's text for a name; one beyond this is not
// worth its memory.
constexpr size_t kMaxDeploymentName = 512;

class MemoryConversationState : public ConversationState {
 public:
  MemoryConversationState(const Clock& clock, size_t max_entries,
                          absl::Duration max_age)
      : clock_(clock), max_entries_(max_entries), max_age_(max_age) {}

  void Remember(std::string_view tenant, std::string_view thread,
                std::string_view deployment) override {
    if (deployment.size() > kMaxDeploymentName || max_entries_ == 0) return;
    const Instant now = clock_.Monotonic();
    const Digest key = DigestOf({tenant, thread});
    MutexLock lock(mutex_);
    const auto found = index_.find(key);
    if (found != index_.end()) {
      found->second->deployment = std::string(deployment);
      Touch(found->second, now);
      return;
    }
    while (entries_.size() >= max_entries_) DropOldest();
    entries_.push_front({key, std::string(deployment), now});
    index_.emplace(key, entries_.begin());
  }

  std::optional<std::string> Deployment(std::string_view tenant,
                                        std::string_view thread) override {
    const Instant now = clock_.Monotonic();
    const Digest key = DigestOf({tenant, thread});
    MutexLock lock(mutex_);
    // Oldest last: what is too old is at the end, so age costs no timer.
    while (!entries_.empty() && now - entries_.back().used > max_age_) {
      DropOldest();
    }
    const auto found = index_.find(key);
    if (found == index_.end()) return std::nullopt;
    Touch(found->second, now);
    return found->second->deployment;
  }

 private:
  struct Entry {
    Digest key;
    std::string deployment;
    Instant used;
  };
  using Entries = std::list<Entry>;

  void Touch(Entries::iterator it, Instant now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    it->used = now;
    entries_.splice(entries_.begin(), entries_, it);
  }
  void DropOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    index_.erase(entries_.back().key);
    entries_.pop_back();
  }

  const Clock& clock_;
  const size_t max_entries_;
  const absl::Duration max_age_;
  Mutex mutex_;
  Entries entries_ ABSL_GUARDED_BY(mutex_);  // most recently used first
  absl::flat_hash_map<Digest, Entries::iterator> index_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<ConversationState> MakeMemoryConversationState(
    const Clock& clock, size_t max_entries, absl::Duration max_age) {
  return std::make_unique<MemoryConversationState>(clock, max_entries, max_age);
}

}  // namespace llm
