#include "server/probe_runner.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <exception>

#include "server/core/event_loop.h"
#include "server/core/gateway.h"

namespace llm::server {

namespace asio = boost::asio;

struct ProbeRunner::Running {
  Running(Gateway& gateway, HealthBoard& health, const Clock& clock,
          Random& random)
      : prober([&gateway] { return gateway.router(); }, health, clock, random) {
  }
  Prober prober;
  asio::cancellation_signal stop;
  std::promise<void> ended;
};

ProbeRunner::ProbeRunner(EventLoop& loop, Gateway& gateway, HealthBoard& health,
                         const Clock& clock, Random& random)
    : loop_(loop),
      running_(std::make_shared<Running>(gateway, health, clock, random)),
      ended_(running_->ended.get_future()) {
  asio::io_context& context = loop.context();
  asio::post(context, [running = running_, &context] {
    asio::co_spawn(context, running->prober.Run(),
                   asio::bind_cancellation_slot(running->stop.slot(),
                                                [running](std::exception_ptr) {
                                                  running->ended.set_value();
                                                }));
  });
}

ProbeRunner::~ProbeRunner() { Stop(); }

std::vector<ProbeCount> ProbeRunner::Counts() const {
  return running_->prober.Counts();
}

void ProbeRunner::Stop() {
  if (stopped_) return;
  stopped_ = true;
  asio::post(loop_.context(), [running = running_] {
    running->stop.emit(asio::cancellation_type::terminal);
  });
  ended_.wait();
}

}  // namespace llm::server
