#include "server/http/connection_set.h"

#include <chrono>
#include <utility>

#include "absl/time/clock.h"
#include "server/http/connection.h"

namespace llm::server {

std::optional<ConnectionCount::Kind> ConnectionCount::Add(
    const HttpLimits& limits) {
  const MutexLock lock(mutex_);
  if (served_ < limits.max_connections) {
    ++served_;
    return Kind::kServed;
  }
  if (refused_ >= limits.max_refused) return std::nullopt;
  ++refused_;
  return Kind::kRefused;
}

void ConnectionCount::Remove(Kind kind) {
  const MutexLock lock(mutex_);
  --(kind == Kind::kServed ? served_ : refused_);
  changed_.NotifyAll();
}

size_t ConnectionCount::value() const {
  const MutexLock lock(mutex_);
  return served_ + refused_;
}

void ConnectionCount::Hurry() {
  const MutexLock lock(mutex_);
  hurry_ = true;
  changed_.NotifyAll();
}

bool ConnectionCount::WaitForNone(absl::Duration timeout, Heed heed) {
  const auto deadline =
      std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(timeout);
  const MutexLock lock(mutex_);
  while (served_ + refused_ > 0) {
    const auto left = deadline - std::chrono::steady_clock::now();
    const bool hurried = hurry_ && heed == Heed::kHurry;
    if (hurried || left <= left.zero()) return false;
    changed_.WaitFor(mutex_, absl::FromChrono(left));
  }
  return true;
}

ConnectionSet::ConnectionSet(boost::asio::io_context& loop,
                             const HttpLimits& limits, ConnectionCount& count)
    : limits_(limits), count_(count), timer_(loop) {}

void ConnectionSet::Add(std::shared_ptr<Connection> connection) {
  connections_.insert(std::move(connection));
  ArmTimer();
}

void ConnectionSet::Remove(const std::shared_ptr<Connection>& connection) {
  connections_.erase(connection);
}

void ConnectionSet::Release(ConnectionCount::Kind kind) { count_.Remove(kind); }

void ConnectionSet::Drain() {
  draining_ = true;
  const std::vector<std::shared_ptr<Connection>> all(connections_.begin(),
                                                     connections_.end());
  for (const auto& connection : all) connection->Drain();
}

void ConnectionSet::CutAll() {
  const std::vector<std::shared_ptr<Connection>> all(connections_.begin(),
                                                     connections_.end());
  for (const auto& connection : all) connection->Cut();
}

void ConnectionSet::AbortAll() {
  const std::vector<std::shared_ptr<Connection>> all(connections_.begin(),
                                                     connections_.end());
  for (const auto& connection : all) connection->Abort();
}

void ConnectionSet::ArmTimer() {
  if (armed_ || connections_.empty()) return;
  armed_ = true;
  timer_.expires_after(absl::ToChronoNanoseconds(limits_.sweep));
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->armed_ = false;
    if (!error) self->Tick();
  });
}

void ConnectionSet::Tick() {
  const std::vector<std::shared_ptr<Connection>> all(connections_.begin(),
                                                     connections_.end());
  FindGone(all);
  const auto now = std::chrono::steady_clock::now();
  for (const auto& connection : all) connection->OnTick(now);
  ArmTimer();
}

void ConnectionSet::FindGone(
    const std::vector<std::shared_ptr<Connection>>& all) {
  polled_.clear();
  owners_.clear();
  for (const auto& connection : all) {
    if (!connection->answering()) continue;
    polled_.push_back({connection->fd(), POLLRDHUP, 0});
    owners_.push_back(connection.get());
  }
  if (polled_.empty()) return;
  if (::poll(polled_.data(), polled_.size(), 0) <= 0) return;
  for (size_t i = 0; i < polled_.size(); ++i) {
    constexpr int kGone = POLLRDHUP | POLLERR | POLLHUP | POLLNVAL;
    if ((polled_[i].revents & kGone) != 0) owners_[i]->OnClientGone();
  }
}

std::string_view ConnectionSet::HttpDate() {
  const absl::Time now = absl::Now();
  const int64_t second = absl::ToUnixSeconds(now);
  if (std::exchange(date_second_, second) != second) {
    date_ =
        absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", now, absl::UTCTimeZone());
  }
  return date_;
}

}  // namespace llm::server
