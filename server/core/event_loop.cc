#include "server/core/event_loop.h"

#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <string>

namespace llm::server {

namespace asio = boost::asio;

// Keeps the loop running while it is idle.
class EventLoop::Work {
 public:
  explicit Work(asio::io_context& context) : guard_(context.get_executor()) {}

 private:
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
};

// Concurrency hint 1: one thread runs it, so Asio keeps a private queue of
// what that thread posts to itself. Posting from other threads stays safe.
EventLoop::EventLoop(int index)
    : index_(index),
      context_(std::make_unique<asio::io_context>(1)),
      work_(std::make_unique<Work>(*context_)) {}

EventLoop::~EventLoop() {
  Stop();
  Join();
}

void EventLoop::Start() {
  thread_ = std::thread([this] { context_->run(); });
  // At most 15 characters: what the kernel keeps of a thread's name.
  const std::string name = "llm-loop-" + std::to_string(index_);
  pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
}

void EventLoop::Stop() { context_->stop(); }

void EventLoop::Join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace llm::server
