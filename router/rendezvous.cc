#include "router/rendezvous.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"

namespace llm {

uint64_t StableHash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  // FNV's high bits move little for short keys; the score reads high bits.
  hash ^= hash >> 30;
  hash *= 0xbf58476d1ce4e5b9;
  hash ^= hash >> 27;
  hash *= 0x94d049bb133111eb;
  return hash ^ (hash >> 31);
}

double RendezvousScore(std::string_view key, std::string_view deployment,
                       int weight) {
  const uint64_t bits =
      StableHash(absl::StrCat(ToAbsl(key), "\n", ToAbsl(deployment)));
  // In (0, 1): neither end may reach the logarithm.
  const double unit = (static_cast<double>(bits >> 11) + 0.5) * 0x1.0p-53;
  return -std::max(weight, 1) / std::log(unit);
}

}  // namespace llm
