// One worker thread with one event loop; everything a request touches lives
// on the loop it was given to.
//
// Threads: Run is called once, on the worker's own thread. Stop and context
//          are safe from any thread.
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

  void Start();
  void Stop();
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
