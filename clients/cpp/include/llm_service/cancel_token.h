// Ends calls from outside: from another thread, a timer, a signal's handler
// thread.
//
//   llm::client::CancelToken stop;
//   llm::client::CallOptions options;
//   options.cancel = stop;
//   // In another thread:
//   stop.Cancel();
//
// Threads:   Any, at the same time. Not for use inside a signal handler: take
//            signals in a thread of their own (sigwait) and cancel there.
// Ownership: A value; copies are the same token. It may die before or after
//            the calls that were given it, and serve any number of them.
// Errors:    A cancelled call ends with kCancelled; one that is started with a
//            cancelled token does so without asking the service.
#ifndef LLM_SERVICE_CANCEL_TOKEN_H_
#define LLM_SERVICE_CANCEL_TOKEN_H_

#include <functional>
#include <memory>

namespace llm::client {

class CancelToken {
 public:
  CancelToken();

  // Ends every call that has this token, and each that is given it later. The
  // service hears of it at once and closes its call to the provider. Again:
  // nothing more happens.
  void Cancel() const;
  bool cancelled() const;

  // Keeps a callback as long as it lives.
  class Registration {
   public:
    Registration() = default;
    // Moving keeps the callback, destroying forgets it; a Cancel() that runs
    // it at that moment is not waited for.
    Registration(Registration&&) = default;
    Registration& operator=(Registration&&) = default;

   private:
    friend class CancelToken;
    std::shared_ptr<std::function<void()>> callback_;
  };

  // `callback` runs once, in the thread that cancels; at once where that has
  // happened already. The library's calls use this, and so may other work
  // that should stop with them. What `callback` needs it must own.
  [[nodiscard]] Registration OnCancel(std::function<void()> callback) const;

 private:
  struct State;
  // Shared: a call may outlive the token of whoever started it.
  std::shared_ptr<State> state_;
};

}  // namespace llm::client

#endif  // LLM_SERVICE_CANCEL_TOKEN_H_
