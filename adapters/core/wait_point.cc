#include "adapters/core/wait_point.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/intrusive/list.hpp>
#include <cassert>
#include <utility>

namespace llm {

namespace asio = boost::asio;

// The wait points of one loop that somebody waits at.
class WaitPoint::Keeper final : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;
  explicit Keeper(asio::execution_context& loop) : service(loop) {}
  void Keep(WaitPoint& point) { points_.push_back(point); }

 private:
  void shutdown() override {
    while (!points_.empty()) {
      WaitPoint& point = points_.front();
      points_.pop_front();
      // With the coroutine the point itself may go, and other points.
      const absl::AnyInvocable<void()> dropped =
          std::exchange(point.waiter_, nullptr);
    }
  }

  boost::intrusive::list<WaitPoint, boost::intrusive::constant_time_size<false>>
      points_;
};

Task<void> WaitPoint::Wait(absl::AnyInvocable<void()> cancelled) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void()>(
      [this](auto handler, absl::AnyInvocable<void()> on_cancel) {
        if (keeper_ == nullptr) {
          const asio::any_io_executor loop =
              asio::get_associated_executor(handler);
          keeper_ = &asio::use_service<Keeper>(asio::query(
              loop, asio::execution::context_as<asio::execution_context&>));
        }
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected() && on_cancel) {
          slot.assign([run = std::move(on_cancel)](
                          asio::cancellation_type) mutable { run(); });
        }
        waiter_ = [resume = std::move(handler)]() mutable {
          std::move(resume)();
        };
        assert(!is_linked());
        keeper_->Keep(*this);
      },
      asio::use_awaitable, std::move(cancelled));
}

void WaitPoint::Wake() {
  if (!waiter_) return;
  unlink();
  // The waiter may wait again at once.
  auto waiter = std::exchange(waiter_, nullptr);
  waiter();
}

}  // namespace llm
