#include "adapters/http/curl_transport.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "absl/cleanup/cleanup.h"
#include "adapters/http/curl_exchange.h"
#include "adapters/http/curl_multi.h"

namespace llm {

namespace asio = boost::asio;

CurlTransport::CurlTransport(asio::io_context& loop, const Clock& clock,
                             CurlTransportOptions options)
    : loop_(loop),
      clock_(clock),
      multi_(std::make_shared<CurlMulti>(loop, options.max_idle_connections)) {}

CurlTransport::~CurlTransport() = default;

// The exchange runs as a coroutine of its own with its own cancellation
// slot: the total deadline must be able to end a sink that waits.
Task<HttpResult> CurlTransport::Send(const HttpRequest& request,
                                     BodySink& sink) {
  const auto exchange =
      std::make_shared<CurlExchange>(loop_, clock_, multi_, request, sink);
  const asio::cancellation_state state =
      co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    HttpResult cancelled;
    cancelled.status = absl::CancelledError("cancelled");
    co_return cancelled;
  }
  asio::cancellation_slot caller = state.slot();
  if (caller.is_connected()) {
    caller.assign([exchange](asio::cancellation_type /*type*/) {
      exchange->Stop(absl::CancelledError("cancelled"));
    });
  }
  const absl::Cleanup forget = [&caller] {
    if (caller.is_connected()) caller.clear();
  };
  HttpResult result = co_await asio::co_spawn(
      loop_, exchange->Run(),
      asio::bind_cancellation_slot(exchange->stop_slot(), asio::use_awaitable));
  co_return result;
}

}  // namespace llm
