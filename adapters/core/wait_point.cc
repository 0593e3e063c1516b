#include "adapters/core/wait_point.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace llm {

namespace asio = boost::asio;

Task<void> WaitPoint::Wait(absl::AnyInvocable<void()> cancelled) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void()>(
      [this](auto handler, absl::AnyInvocable<void()> on_cancel) {
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected() && on_cancel) {
          slot.assign([run = std::move(on_cancel)](
                          asio::cancellation_type) mutable { run(); });
        }
        waiter_ = [resume = std::move(handler)]() mutable {
          std::move(resume)();
        };
      },
      asio::use_awaitable, std::move(cancelled));
}

void WaitPoint::Wake() {
  if (!waiter_) return;
  // The waiter may wait again at once.
  auto waiter = std::exchange(waiter_, nullptr);
  waiter();
}

}  // namespace llm
