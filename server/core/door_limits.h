// How patient both doors are with their callers. One struct, so that a caller
// who moves from one door to the other meets the same limits.
#ifndef LLM_SERVER_CORE_DOOR_LIMITS_H_
#define LLM_SERVER_CORE_DOOR_LIMITS_H_

#include "absl/time/time.h"

namespace llm::server {

struct DoorLimits {
  // Without the reader taking anything. Then its call is broken off.
  absl::Duration write = absl::Seconds(60);
  // For the last words to callers whom a shutdown cuts off.
  absl::Duration farewell = absl::Seconds(1);
  // How often limits and vanished callers are looked for.
  absl::Duration sweep = absl::Milliseconds(200);
};

}  // namespace llm::server

#endif  // LLM_SERVER_CORE_DOOR_LIMITS_H_
