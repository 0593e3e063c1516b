#include "router/in_flight_board.h"

#include "adapters/core/text.h"

namespace llm {

std::optional<InFlightBoard::Lease> InFlightBoard::Take(
    std::string_view provider, int limit) {
  MutexLock lock(mutex_);
  const auto it = counts_.find(ToAbsl(provider));
  if ((it == counts_.end() ? 0 : it->second) >= limit) return std::nullopt;
  if (it == counts_.end()) {
    counts_[std::string(provider)] = 1;
  } else {
    ++it->second;
  }
  return Lease(this, provider);
}

void InFlightBoard::GiveBack(const std::string& provider) {
  MutexLock lock(mutex_);
  const auto it = counts_.find(provider);
  if (it != counts_.end() && --it->second <= 0) counts_.erase(it);
}

int InFlightBoard::InFlight(std::string_view provider) const {
  MutexLock lock(mutex_);
  const auto it = counts_.find(ToAbsl(provider));
  return it == counts_.end() ? 0 : it->second;
}

}  // namespace llm
