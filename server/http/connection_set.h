// All connections of one listener on one loop, and the one timer that looks
// after them: deadlines, keep-alive comments, callers who left.
//
// A caller who resets, closes or half-closes while its answer is being made
// is seen by one poll() over the sockets in question, also when bytes of
// further requests lie unread before the end [TMO-2].
//
// Threads:   The loop's thread; ConnectionCount any.
// Ownership: Connections keep themselves alive; they leave by Remove.
#ifndef LLM_SERVER_HTTP_CONNECTION_SET_H_
#define LLM_SERVER_HTTP_CONNECTION_SET_H_

#include <poll.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "adapters/core/mutex.h"
#include "server/http/http_server.h"

namespace llm::server {

class Connection;

// The number of open connections, over all loops: those that are served, and
// those that are being told that there are too many.
class ConnectionCount {
 public:
  enum class Kind { kServed, kRefused };
  // What becomes of a new connection; nothing where both are full.
  std::optional<Kind> Add(const HttpLimits& limits) ABSL_LOCKS_EXCLUDED(mutex_);
  void Remove(Kind kind) ABSL_LOCKS_EXCLUDED(mutex_);
  // Both kinds.
  size_t value() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits until there is none; false when `timeout` came first, or Hurry for a
  // wait that heeds it.
  enum class Heed { kHurry, kTimeOnly };
  bool WaitForNone(absl::Duration timeout, Heed heed = Heed::kTimeOnly)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void Hurry() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  bool hurry_ ABSL_GUARDED_BY(mutex_) = false;
  size_t served_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t refused_ ABSL_GUARDED_BY(mutex_) = 0;
};

class ConnectionSet : public std::enable_shared_from_this<ConnectionSet> {
 public:
  ConnectionSet(boost::asio::io_context& loop, const HttpLimits& limits,
                ConnectionCount& count);

  void Add(std::shared_ptr<Connection> connection);
  void Remove(const std::shared_ptr<Connection>& connection);
  // Once per connection, after Remove: it is counted no more.
  void Release(ConnectionCount::Kind kind);
  // From now on every connection ends after its answer.
  void Drain();
  // The drain is over: callers still waiting are told, then AbortAll.
  void CutAll();
  void AbortAll();
  bool draining() const { return draining_; }
  // Of now, for a head; until the next call. Formatted once a second, since it
  // takes more than all other headers together.
  std::string_view HttpDate();

 private:
  void ArmTimer();
  void Tick();
  // Marks the connections whose callers left.
  void FindGone(const std::vector<std::shared_ptr<Connection>>& all);

  const HttpLimits& limits_;
  ConnectionCount& count_;
  boost::asio::steady_timer timer_;
  bool armed_ = false;
  bool draining_ = false;
  int64_t date_second_ = -1;
  std::string date_;
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  // Kept for their storage.
  std::vector<pollfd> polled_;
  std::vector<Connection*> owners_;
};

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_CONNECTION_SET_H_
