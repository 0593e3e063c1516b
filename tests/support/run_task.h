// Runs coroutines to their end inside a test.
//
// Threads: On the calling thread, which runs the loop.
#ifndef LLM_TESTS_SUPPORT_RUN_TASK_H_
#define LLM_TESTS_SUPPORT_RUN_TASK_H_

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "adapters/core/task.h"
#include "tests/support/fake_clock.h"

namespace llm {

namespace run_task_internal {

template <typename T>
struct Outcome {
  std::optional<T> value;
  std::exception_ptr error;
  bool done = false;
};

// Shared with the handler, which outlives a test that gave up on its task.
template <typename T>
std::shared_ptr<Outcome<T>> Spawn(boost::asio::io_context& io, Task<T> task) {
  auto outcome = std::make_shared<Outcome<T>>();
  boost::asio::co_spawn(io, std::move(task),
                        [outcome](std::exception_ptr error, T value) {
                          outcome->error = error;
                          if (!error) outcome->value = std::move(value);
                          outcome->done = true;
                        });
  return outcome;
}

// The value of a finished task, or its exception thrown again.
template <typename T>
T Take(Outcome<T>& outcome) {
  if (outcome.error) std::rethrow_exception(outcome.error);
  if (!outcome.done) {
    throw std::logic_error("the task waits for something that cannot come");
  }
  return *std::move(outcome.value);
}

// Gives a task without a value one, so that there is one way to run both.
inline Task<bool> WithValue(Task<void> task) {
  co_await std::move(task);
  co_return true;
}

}  // namespace run_task_internal

// Runs `task` on `io` until it ends and returns its value. T must be default
// constructible, as Asio asks. Other work on the loop runs along and may be
// left unfinished. Throws std::logic_error when the loop runs dry first.
template <typename T>
T RunTask(boost::asio::io_context& io, Task<T> task) {
  const auto outcome = run_task_internal::Spawn(io, std::move(task));
  io.restart();
  while (!outcome->done && io.run_one() > 0) {
  }
  return run_task_internal::Take(*outcome);
}

inline void RunTask(boost::asio::io_context& io, Task<void> task) {
  RunTask(io, run_task_internal::WithValue(std::move(task)));
}

// As RunTask, and moves `clock` to the next wake-up whenever all work waits:
// for work that sleeps on the fake clock only, not on sockets.
template <typename T>
T RunTask(boost::asio::io_context& io, FakeClock& clock, Task<T> task) {
  const auto outcome = run_task_internal::Spawn(io, std::move(task));
  while (!outcome->done) {
    io.restart();
    if (io.poll_one() > 0) continue;
    if (!clock.AdvanceToNextSleeper()) break;
  }
  return run_task_internal::Take(*outcome);
}

}  // namespace llm

#endif  // LLM_TESTS_SUPPORT_RUN_TASK_H_
