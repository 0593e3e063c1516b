// libcurl's multi interface on an Asio event loop: who waits for which socket
// and when curl wants to be called again. Callbacks of curl end here and in
// curl_exchange.
//
// Curl's sockets are opened through us and, once connected, closed through us,
// so an Asio descriptor owns each from birth to death. Those that never
// connected curl closes itself; their watches go before their numbers come
// back. The pipe of curl's resolver threads is curl's own; it is
// watched and let go.
//
// Threads:     All calls on the loop's thread. Curl's resolver has threads.
// Ownership:   Shared by the transport and its exchanges, so that an exchange
//              torn down after its transport still has a multi to leave.
// Reentrancy:  No method but Call may be called from inside a curl callback.
//              Nobody is resumed from inside one: who is called goes on when
//              curl has returned, so coroutines need not care.
#ifndef LLM_ADAPTERS_HTTP_CURL_MULTI_H_
#define LLM_ADAPTERS_HTTP_CURL_MULTI_H_

#include <curl/curl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"

namespace llm {

// Who stands behind an easy handle (its CURLOPT_PRIVATE).
class CurlCompletion {
 public:
  virtual ~CurlCompletion() = default;
  // Curl is done with the handle. Inside libcurl's reach: only note it.
  virtual void OnDone(CURLcode code) = 0;
  // What CurlMulti::Call asked for, outside libcurl.
  virtual void OnCalled() = 0;
};

struct CurlEasyCleanup {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using CurlEasy = std::unique_ptr<CURL, CurlEasyCleanup>;

class CurlMulti : public std::enable_shared_from_this<CurlMulti> {
 public:
  // `loop` outlives this.
  CurlMulti(boost::asio::io_context& loop, long max_idle_connections);
  ~CurlMulti();
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;

  // A handle without options, from the pool or new; null when memory is out.
  CurlEasy TakeEasy();
  // Requires that its last transfer ended well.
  void ReturnEasy(CurlEasy easy);

  // Starts the transfer; its first steps happen before this returns.
  absl::Status Add(CURL* easy);
  // Ends it; a connection in mid-exchange is closed.
  void Remove(CURL* easy);

  // Has OnCalled called once, from the loop: when curl is done with what the
  // loop just brought it, else in a turn of its own.
  void Call(std::weak_ptr<CurlCompletion> who);

  // CURLOPT_OPENSOCKETFUNCTION's work: a socket that we own, or
  // CURL_SOCKET_BAD.
  curl_socket_t OpenSocket(const curl_sockaddr& address);
  // CURLOPT_CLOSESOCKETFUNCTION; `self` is a CurlMulti.
  static int CloseSocket(void* self, curl_socket_t fd);

 private:
  struct Watch;
  using TimePoint = std::chrono::steady_clock::time_point;

  static int OnSocket(CURL* easy, curl_socket_t fd, int what, void* self,
                      void* watch);
  static int OnTimer(CURLM* multi, long timeout_ms, void* self);
  std::shared_ptr<Watch> WatchOf(curl_socket_t fd, bool owned);
  void Arm(const std::shared_ptr<Watch>& watch);
  void ArmSide(const std::shared_ptr<Watch>& watch, int side);
  void OnReady(const std::shared_ptr<Watch>& watch, int side);
  void Forget(curl_socket_t fd);
  void ForgetClosed();
  void ArmTimer(TimePoint at);
  void OnTimerFired();
  void PostDrive();
  void Drive(curl_socket_t fd, int events);
  // Drive, for handlers of the loop: whoever it has called for goes on now.
  void DriveFromLoop(curl_socket_t fd, int events);
  void CallAll();

  boost::asio::io_context& loop_;
  CURLM* const multi_;
  std::vector<CurlEasy> idle_easies_;
  std::unordered_map<curl_socket_t, std::shared_ptr<Watch>> watches_;
  // Sockets let go before they connected; some curl may have closed.
  std::vector<curl_socket_t> let_go_;
  boost::asio::steady_timer timer_;
  std::optional<TimePoint> due_;  // when curl wants to be called
  std::optional<TimePoint> armed_for_;
  bool drive_posted_ = false;
  // Weak: who is called waits, and is held by whoever waits in it.
  std::vector<std::weak_ptr<CurlCompletion>> called_;
  bool calling_soon_ = false;  // the loop's handler, or one that is posted
};

}  // namespace llm

#endif  // LLM_ADAPTERS_HTTP_CURL_MULTI_H_
