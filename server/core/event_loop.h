// One worker thread with one event loop; everything a request touches lives
// on the loop it was given to.
//
// Threads: Start, Join and the destructor belong to the owner's thread (not
//          the loop's own). Stop and context are safe from any thread.
#ifndef LLM_SERVER_CORE_EVENT_LOOP_H_
#define LLM_SERVER_CORE_EVENT_LOOP_H_

#include <memory>
#include <thread>

namespace boost::asio {
class io_context;
}

namespace llm::server {

class EventLoop {
 public:
  explicit EventLoop(int index);
  ~EventLoop();  // stops and joins
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Once: starts the thread, named "llm-loop-N". The loop runs until Stop,
  // also while it has nothing to do.
  void Start();
  // Ends the loop after the handler that runs now. What is still queued is
  // dropped unrun when the loop is destroyed: drain first.
  void Stop();
  // Waits for the thread to end; at once if it was never started.
  void Join();
  boost::asio::io_context& context() { return *context_; }
  int index() const { return index_; }

 private:
  class Work;
  int index_;
  std::unique_ptr<boost::asio::io_context> context_;
  std::unique_ptr<Work> work_;
  std::thread thread_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_EVENT_LOOP_H_
