// One exchange on a curl multi handle: curl's callbacks on one side, the
// coroutine that feeds the sink on the other.
//
// Callbacks only note what came and have the coroutine called; it goes on when
// curl has returned, so no user code ever runs inside curl. Bytes wait in a
// buffer of at most one curl read; when the sink is slower the transfer is
// paused.
//
// Threads:   The loop's.
// Ownership: Shared: a timer's handler may still be queued when the exchange
//            is over. `request`, `clock` and `sink` outlive Run's task.
// Errors:    In the result.
#ifndef LLM_ADAPTERS_HTTP_CURL_EXCHANGE_H_
#define LLM_ADAPTERS_HTTP_CURL_EXCHANGE_H_

#include <curl/curl.h>

#include <array>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "adapters/core/clock.h"
#include "adapters/core/http_transport.h"
#include "adapters/core/task.h"
#include "adapters/core/wait_point.h"
#include "adapters/http/curl_multi.h"
#include "adapters/http/curl_request.h"
#include "adapters/http/exchange_deadlines.h"
#include "adapters/http/response_head.h"

namespace llm {

class CurlExchange final : public CurlCompletion,
                           public std::enable_shared_from_this<CurlExchange> {
 public:
  CurlExchange(boost::asio::io_context& loop, const Clock& clock,
               std::shared_ptr<CurlMulti> multi, const HttpRequest& request,
               BodySink& sink);

  // The whole exchange. Spawn it with stop_slot(), call it once.
  Task<HttpResult> Run();
  // Closes the upstream at once and ends Run with `why`, also while the sink
  // waits. The first reason stays.
  void Stop(absl::Status why);
  boost::asio::cancellation_slot stop_slot() { return stop_signal_.slot(); }

  void OnDone(CURLcode code) override;
  void OnCalled() override;

 private:
  static int OnPrereq(void* self, char*, char*, int, int);
  static curl_socket_t OnOpenSocket(void* self, curlsocktype,
                                    curl_sockaddr* address);
  static size_t OnHeader(char* data, size_t, size_t size, void* self);
  static size_t OnBody(char* data, size_t, size_t size, void* self);

  absl::Status Start();
  absl::Status SetCallbacks();
  Task<absl::Status> Pump();
  Task<absl::Status> Deliver();
  absl::Status Resume();
  // Closes the connection of a transfer that is not over.
  void LeaveMulti();
  void Leave();
  // Pump goes on, soon.
  void Wake();
  // Returns after the next Wake, or the signal to stop.
  Task<void> Event();
  void ArmAlarm();
  void OnAlarm();
  void NoteResend();
  HttpPhase Phase() const;
  HttpResult MakeResult(absl::Status status) const;

  boost::asio::io_context& loop_;
  const Clock& clock_;
  const std::shared_ptr<CurlMulti> multi_;
  const HttpRequest& request_;
  BodySink& sink_;
  const Instant start_;

  CurlEasy easy_;
  CurlList headers_;
  bool in_multi_ = false;
  std::array<char, CURL_ERROR_SIZE> error_text_{};

  // What curl told us.
  ResponseHead head_;
  std::string pending_;  // came, not yet taken by the sink
  bool paused_ = false;
  bool done_ = false;
  CURLcode code_ = CURLE_OK;
  absl::Status refused_;  // why a callback of ours ended the transfer
  bool connected_ = false;
  bool resend_refused_ = false;
  HttpPhase resend_phase_ = HttpPhase::kWait;
  int64_t request_bytes_before_ = 0;  // a proxy's CONNECT is not our request
  HttpResult facts_;

  // What the coroutine is doing.
  std::string slice_;  // with the sink
  bool head_reported_ = false;
  bool over_ = false;
  absl::Status stopped_;
  boost::asio::cancellation_signal stop_signal_;
  WaitPoint event_;
  bool called_ = false;
  ExchangeDeadlines deadlines_;
  boost::asio::steady_timer alarm_;
  Instant alarm_at_ = Instant::Never();
};

}  // namespace llm

#endif  // LLM_ADAPTERS_HTTP_CURL_EXCHANGE_H_
