#include "adapters/http/curl_exchange.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "adapters/core/text.h"

namespace llm {

namespace asio = boost::asio;

CurlExchange::CurlExchange(asio::io_context& loop, const Clock& clock,
                           std::shared_ptr<CurlMulti> multi,
                           const HttpRequest& request, BodySink& sink)
    : loop_(loop),
      clock_(clock),
      multi_(std::move(multi)),
      request_(request),
      sink_(sink),
      start_(clock.Monotonic()),
      deadlines_(request.deadlines, start_),
      alarm_(loop) {}

Task<HttpResult> CurlExchange::Run() {
  const std::shared_ptr<CurlExchange> self = shared_from_this();
  const absl::Cleanup leave = [self] { self->Leave(); };
  absl::Status status = Start();
  if (status.ok()) status = co_await Pump();
  co_return MakeResult(std::move(status));
}

absl::Status CurlExchange::Start() {
  const std::string_view passed = deadlines_.Passed(start_);
  if (!passed.empty()) return absl::DeadlineExceededError(ToAbsl(passed));
  absl::StatusOr<CurlList> headers = MakeHeaderList(request_);
  if (!headers.ok()) return headers.status();
  headers_ = std::move(headers).value();
  easy_ = multi_->TakeEasy();
  if (easy_ == nullptr) return absl::InternalError("out of memory");
  absl::Status set = SetRequestOptions(easy_.get(), request_, headers_.get());
  if (set.ok()) set = SetCallbacks();
  if (!set.ok()) return set;
  ArmAlarm();
  in_multi_ = true;
  return multi_->Add(easy_.get());
}

absl::Status CurlExchange::SetCallbacks() {
  CURL* const easy = easy_.get();
  bool ok = true;
  const auto set = [&ok, easy](CURLoption option, auto value) {
    ok = curl_easy_setopt(easy, option, value) == CURLE_OK && ok;
  };
  set(CURLOPT_PRIVATE, static_cast<CurlCompletion*>(this));
  set(CURLOPT_ERRORBUFFER, error_text_.data());
  set(CURLOPT_PREREQFUNCTION, &CurlExchange::OnPrereq);
  set(CURLOPT_PREREQDATA, this);
  set(CURLOPT_HEADERFUNCTION, &CurlExchange::OnHeader);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &CurlExchange::OnBody);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_OPENSOCKETFUNCTION, &CurlExchange::OnOpenSocket);
  set(CURLOPT_OPENSOCKETDATA, this);
  // Remembered by the connection, which outlives this exchange.
  set(CURLOPT_CLOSESOCKETFUNCTION, &CurlMulti::CloseSocket);
  set(CURLOPT_CLOSESOCKETDATA, multi_.get());
  return ok ? absl::OkStatus() : absl::InternalError("curl option refused");
}

Task<absl::Status> CurlExchange::Pump() {
  while (stopped_.ok()) {
    if (head_.complete() && !std::exchange(head_reported_, true)) {
      sink_.OnHead(head_.status(), head_.headers());
    } else if (!pending_.empty()) {
      absl::Status delivered = co_await Deliver();
      if (!delivered.ok()) co_return delivered;
    } else if (done_) {
      co_return absl::OkStatus();
    } else {
      co_await Event();
    }
  }
  co_return stopped_;
}

Task<void> CurlExchange::Event() {
  return event_.Wait([this] { Wake(); });
}

void CurlExchange::Wake() {
  if (called_ || !event_.waiting()) return;
  called_ = true;
  multi_->Call(weak_from_this());
}

void CurlExchange::OnCalled() {
  called_ = false;
  event_.Wake();
}

Task<absl::Status> CurlExchange::Deliver() {
  slice_.clear();
  std::swap(slice_, pending_);
  // Before the sink works: the next bytes come while it does.
  absl::Status resumed = Resume();
  if (!resumed.ok()) co_return resumed;
  deadlines_.OnSinkStarted(clock_.Monotonic());
  absl::StatusOr<BodyProgress> progress = absl::CancelledError("cancelled");
  try {
    progress = co_await sink_.OnBody(slice_);
  } catch (const boost::system::system_error&) {
    // A cancelled wait inside the sink: `progress` says so already.
  }
  if (!stopped_.ok()) co_return stopped_;
  if (!progress.ok()) co_return progress.status();
  deadlines_.OnSinkFinished(clock_.Monotonic(), *progress);
  if (deadlines_.Next() < alarm_at_) ArmAlarm();
  co_return absl::OkStatus();
}

absl::Status CurlExchange::Resume() {
  if (!std::exchange(paused_, false) || done_) return absl::OkStatus();
  // Hands over what curl kept back, from inside this call.
  const CURLcode code = curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
  if (!refused_.ok()) return refused_;
  return StatusOfCurl(code, connected_, error_text_.data());
}

void CurlExchange::Stop(absl::Status why) {
  if (over_ || !stopped_.ok()) return;
  stopped_ = std::move(why);
  LeaveMulti();
  stop_signal_.emit(asio::cancellation_type::terminal);
}

void CurlExchange::LeaveMulti() {
  if (!std::exchange(in_multi_, false)) return;
  // An HTTP/2 connection would be kept, and libcurl 7.88 only notes the reset
  // of its stream: the provider hears of it with the next frame, if ever.
  if (!done_) curl_easy_setopt(easy_.get(), CURLOPT_FORBID_REUSE, 1L);
  multi_->Remove(easy_.get());
}

void CurlExchange::Leave() {
  over_ = true;
  alarm_.cancel();
  LeaveMulti();
  // Only after a transfer that ended well is it sure that curl has let its
  // buffer go; the next one may be of another size.
  if (easy_ != nullptr && done_ && code_ == CURLE_OK) {
    multi_->ReturnEasy(std::move(easy_));
  }
}

// The alarm is moved only when a deadline comes nearer. Most move away with
// every slice; those are looked at again when the alarm fires.
void CurlExchange::ArmAlarm() {
  alarm_at_ = deadlines_.Next();
  if (alarm_at_ == Instant::Never()) return;
  const absl::Duration wait = std::clamp(alarm_at_ - clock_.Monotonic(),
                                         absl::ZeroDuration(), absl::Hours(24));
  alarm_.expires_after(absl::ToChronoNanoseconds(wait));
  alarm_.async_wait(
      [self = shared_from_this()](const boost::system::error_code& error) {
        if (!error && !self->over_) self->OnAlarm();
      });
}

void CurlExchange::OnAlarm() {
  const std::string_view passed = deadlines_.Passed(clock_.Monotonic());
  if (passed.empty()) {
    ArmAlarm();
  } else {
    Stop(absl::DeadlineExceededError(ToAbsl(passed)));
  }
}

HttpResult CurlExchange::MakeResult(absl::Status status) const {
  HttpResult result = facts_;
  if (status.ok()) status = refused_;
  if (status.ok()) {
    status = resend_refused_
                 ? absl::UnavailableError("the reused connection was dead")
                 : StatusOfCurl(code_, connected_, error_text_.data());
  }
  result.status = std::move(status);
  result.http_status = head_.started() ? head_.status() : 0;
  result.phase = Phase();
  result.timings.total = clock_.Monotonic() - start_;
  return result;
}

}  // namespace llm
