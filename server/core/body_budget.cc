#include "server/core/body_budget.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace llm::server {

int64_t DefaultBodyMemory() {
  int64_t memory = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) *
                   static_cast<int64_t>(sysconf(_SC_PAGESIZE));
  // "max" where there is no limit, which does not read as a number.
  std::ifstream group("/sys/fs/cgroup/memory.max");
  int64_t bytes = 0;
  if (group >> bytes && bytes > 0) memory = std::min(memory, bytes);
  return std::max(memory / 4, int64_t{64} << 20);
}

}  // namespace llm::server
