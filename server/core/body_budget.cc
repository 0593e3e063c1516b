#include "server/core/body_budget.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace llm::server {

bool BodyBudget::Take(Hold& hold, int64_t bytes) {
  const int64_t all = held_ += bytes;
  const bool small = hold.bytes_ + bytes <= small_;
  if (!small && (all > limit_ || !TakeShare(hold, bytes))) {
    held_ -= bytes;
    ++refused_;
    return false;
  }
  hold.bytes_ += bytes;
  return true;
}

bool BodyBudget::TakeShare(Hold& hold, int64_t bytes) {
  if (hold.owner_.empty()) return true;
  const MutexLock lock(mutex_);
  Share& share = shares_[hold.owner_];
  const int64_t more = hold.shared_ ? bytes : hold.bytes_ + bytes;
  const bool others = share.bodies > (hold.shared_ ? 1 : 0);
  if (others && share.bytes + more > limit_ / 2) return false;
  share.bytes += more;
  if (!std::exchange(hold.shared_, true)) ++share.bodies;
  return true;
}

void BodyBudget::GiveBack(const Hold& hold) {
  held_ -= hold.bytes_;
  if (!hold.shared_) return;
  const MutexLock lock(mutex_);
  const auto share = shares_.find(hold.owner_);
  share->second.bytes -= hold.bytes_;
  if (--share->second.bodies == 0) shares_.erase(share);
}

int64_t DefaultBodyMemory() {
  int64_t memory = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) *
                   static_cast<int64_t>(sysconf(_SC_PAGESIZE));
  // "max" where there is no limit, which does not read as a number.
  std::ifstream group("/sys/fs/cgroup/memory.max");
  int64_t bytes = 0;
  if (group >> bytes && bytes > 0) memory = std::min(memory, bytes);
  return std::max(memory / 4, int64_t{64} << 20);
}

}  // namespace llm::server
