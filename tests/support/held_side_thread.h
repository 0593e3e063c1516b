// A side thread that does nothing until it is let go: what is handed to it
// meanwhile waits.
#ifndef LLM_TESTS_SUPPORT_HELD_SIDE_THREAD_H_
#define LLM_TESTS_SUPPORT_HELD_SIDE_THREAD_H_

#include <future>
#include <thread>
#include <utility>

#include "server/core/side_thread.h"

namespace llm::server {

class HeldSideThread {
 public:
  HeldSideThread() {
    thread.Post([held = let_go_.get_future().share(), this](absl::Status) {
      started_.set_value();
      held.wait();
    });
    started_.get_future().wait();
  }
  ~HeldSideThread() { LetGo(); }

  // Returns once `jobs` wait behind it.
  void AwaitWaiting(size_t jobs) {
    while (thread.waiting() < jobs) std::this_thread::yield();
  }

  // Once or more.
  void LetGo() {
    if (!std::exchange(gone_, true)) let_go_.set_value();
  }

 private:
  bool gone_ = false;
  std::promise<void> started_;
  std::promise<void> let_go_;

 public:
  // Last, so stopped first.
  SideThread thread{"the thread", nullptr};
};

}  // namespace llm::server

#endif  // LLM_TESTS_SUPPORT_HELD_SIDE_THREAD_H_
