#include "llm_service/cancel_token.h"

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

namespace llm::client {

using Callback = std::function<void()>;

// std::mutex: ThreadSanitizer sees it, and Debian's Abseil it does not.
struct CancelToken::State {
  std::mutex mutex;
  // Under `mutex`.
  bool cancelled = false;
  std::vector<std::weak_ptr<Callback>> callbacks;
  // Calls that ended leave dead entries: swept where the list has doubled, so
  // a token of a whole program's life stays small.
  size_t sweep_at = 16;

  void Sweep() {
    if (callbacks.size() < sweep_at) return;
    callbacks.erase(std::remove_if(callbacks.begin(), callbacks.end(),
                                   [](const std::weak_ptr<Callback>& entry) {
                                     return entry.expired();
                                   }),
                    callbacks.end());
    sweep_at = std::max<size_t>(16, 2 * callbacks.size());
  }
};

CancelToken::CancelToken() : state_(std::make_shared<State>()) {}

void CancelToken::Cancel() const {
  std::vector<std::weak_ptr<Callback>> callbacks;
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    state_->cancelled = true;
    callbacks.swap(state_->callbacks);
  }
  // Outside the lock: a callback may use the token.
  for (const std::weak_ptr<Callback>& entry : callbacks) {
    if (const std::shared_ptr<Callback> callback = entry.lock()) (*callback)();
  }
}

bool CancelToken::cancelled() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->cancelled;
}

CancelToken::Registration CancelToken::OnCancel(Callback callback) const {
  Registration registration;
  registration.callback_ = std::make_shared<Callback>(std::move(callback));
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    if (!state_->cancelled) {
      state_->Sweep();
      state_->callbacks.push_back(registration.callback_);
      return registration;
    }
  }
  (*registration.callback_)();
  return registration;
}

}  // namespace llm::client
