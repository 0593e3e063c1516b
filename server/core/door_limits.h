// How patient both doors are with their callers. One struct, so that a caller
// who moves from one door to the other meets the same limits.
#ifndef LLM_SERVER_CORE_DOOR_LIMITS_H_
#define LLM_SERVER_CORE_DOOR_LIMITS_H_

#include <cstdint>

#include "absl/time/time.h"

namespace llm::server {

struct DoorLimits {
  // Without the reader taking anything. Then its call is broken off. And what
  // waits for it must go at a rate: `write` for the first bytes, and as long
  // again for each `write_piece` it has taken. A stream that waits for its
  // provider owes its reader nothing and has no limit.
  absl::Duration write = absl::Seconds(60);
  int64_t write_piece = int64_t{1} << 20;
  // For the last words to callers whom a shutdown cuts off.
  absl::Duration farewell = absl::Seconds(1);
  // For calls to end that are cut after that. Then they are left behind.
  absl::Duration abandon = absl::Seconds(5);
  // How often limits and vanished callers are looked for.
  absl::Duration sweep = absl::Milliseconds(200);
};

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_DOOR_LIMITS_H_
