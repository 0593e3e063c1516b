// The public view of a catalog model: price, capabilities, health.
//
// Threads: Pure functions over immutable tables and the shared health board.
// Units:   Prices in USD per token as decimal text.
#ifndef LLM_SERVER_CORE_MODEL_LISTING_H_
#define LLM_SERVER_CORE_MODEL_LISTING_H_

#include <vector>

#include "absl/time/time.h"
#include "llm/v1/models.pb.h"
#include "router/health_board.h"
#include "router/route_table.h"
#include "server/ledger/usage_store.h"

namespace llm::server {

struct ListingFacts {
  const RouteTable* table = nullptr;
  const HealthBoard* health = nullptr;
  const std::vector<ExchangeRate>* rates = nullptr;
  absl::Time now;
  Instant monotonic;
};

// One entry of the list. Pricing is absent where the price is unknown, or in
// another currency without a configured rate to USD.
v1::Model DescribeModel(const PublicModel& model, const ListingFacts& facts);

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_MODEL_LISTING_H_
