// The one coroutine type of the house.
//
// Threads:      A task runs on the event loop that spawned it, start to end.
// Cancellation: Travels by Asio's cancellation slot; a cancelled wait throws
//               inside the awaited operation and is turned into kCancelled by
//               the bridge that made it. Our own coroutines never throw.
// Parameters:   By value, or borrowed from something documented to outlive
//               the task; never a reference to a temporary.
#ifndef LLM_ADAPTERS_CORE_TASK_H_
#define LLM_ADAPTERS_CORE_TASK_H_

#include <boost/asio/awaitable.hpp>

namespace llm {

template <typename T>
using Task = boost::asio::awaitable<T>;

}  // namespace llm

#endif  // LLM_ADAPTERS_CORE_TASK_H_
