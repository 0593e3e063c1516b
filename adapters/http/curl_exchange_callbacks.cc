// What curl tells an exchange. Everything here runs inside libcurl: it notes
// facts and wakes the coroutine, and calls nothing that calls curl back.
#include <utility>

#include "adapters/http/curl_exchange.h"

namespace llm {
namespace {

// What may wait for the sink before the transfer is paused: one curl read.
constexpr size_t kMaxPending = 16384;

int64_t GetInt(CURL* easy, CURLINFO info) {
  long value = 0;
  curl_easy_getinfo(easy, info, &value);
  return value;
}

int64_t GetOffset(CURL* easy, CURLINFO info) {
  curl_off_t value = 0;
  curl_easy_getinfo(easy, info, &value);
  return value;
}

}  // namespace

// Just before the request is sent. The second time is curl sending it again
// by itself because a reused connection died: that would bill twice.
int CurlExchange::OnPrereq(void* self, char* /*address*/, char* /*local*/,
                           int /*port*/, int /*local_port*/) {
  auto& exchange = *static_cast<CurlExchange*>(self);
  if (exchange.connected_) {
    exchange.NoteResend();
    return CURL_PREREQFUNC_ABORT;
  }
  CURL* const easy = exchange.easy_.get();
  exchange.connected_ = true;
  exchange.deadlines_.OnConnected();
  exchange.facts_.reused_connection = GetInt(easy, CURLINFO_NUM_CONNECTS) == 0;
  exchange.facts_.timings.connected =
      exchange.facts_.reused_connection
          ? absl::ZeroDuration()
          : exchange.clock_.Monotonic() - exchange.start_;
  exchange.request_bytes_before_ = GetInt(easy, CURLINFO_REQUEST_SIZE);
  return CURL_PREREQFUNC_OK;
}

// A connection opened after the request was sent is for sending it again.
curl_socket_t CurlExchange::OnOpenSocket(void* self, curlsocktype /*purpose*/,
                                         curl_sockaddr* address) {
  auto& exchange = *static_cast<CurlExchange*>(self);
  if (!exchange.connected_) return exchange.multi_->OpenSocket(*address);
  exchange.NoteResend();
  return CURL_SOCKET_BAD;
}

void CurlExchange::NoteResend() {
  if (std::exchange(resend_refused_, true)) return;
  resend_phase_ = Phase();
}

size_t CurlExchange::OnHeader(char* data, size_t /*one*/, size_t size,
                              void* self) {
  auto& exchange = *static_cast<CurlExchange*>(self);
  if (!exchange.head_.OnLine({data, size})) {
    exchange.refused_ = absl::InternalError("the answer's head is too large");
    return 0;
  }
  if (exchange.head_.started() && !exchange.facts_.timings.first_byte) {
    exchange.facts_.timings.first_byte =
        exchange.clock_.Monotonic() - exchange.start_;
  }
  if (exchange.head_.complete()) exchange.Wake();
  return size;
}

size_t CurlExchange::OnBody(char* data, size_t /*one*/, size_t size,
                            void* self) {
  auto& exchange = *static_cast<CurlExchange*>(self);
  const int64_t total = exchange.facts_.body_bytes + static_cast<int64_t>(size);
  if (total > exchange.request_.max_response_bytes) {
    exchange.refused_ = absl::InternalError("the answer is too large");
    return CURL_WRITEFUNC_ERROR;
  }
  const size_t waiting = exchange.pending_.size();
  if (waiting > 0 && waiting + size > kMaxPending) {
    exchange.paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  exchange.pending_.append(data, size);
  exchange.facts_.body_bytes = total;
  exchange.Wake();
  return size;
}

void CurlExchange::OnDone(CURLcode code) {
  done_ = true;
  code_ = code;
  // Curl takes a connection that ends inside the head for a whole answer.
  if (code == CURLE_OK && !head_.complete()) code_ = CURLE_PARTIAL_FILE;
  Wake();
}

HttpPhase CurlExchange::Phase() const {
  if (resend_refused_) return resend_phase_;
  if (done_ && code_ == CURLE_OK) return HttpPhase::kComplete;
  if (facts_.body_bytes > 0) return HttpPhase::kBody;
  if (head_.started()) return HttpPhase::kHead;
  CURL* const easy = easy_.get();
  if (!connected_ ||
      GetInt(easy, CURLINFO_REQUEST_SIZE) <= request_bytes_before_) {
    return HttpPhase::kConnect;
  }
  return GetOffset(easy, CURLINFO_SIZE_UPLOAD_T) <
                 static_cast<int64_t>(request_.body.size())
             ? HttpPhase::kSend
             : HttpPhase::kWait;
}

}  // namespace llm
