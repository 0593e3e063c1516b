// Rendezvous hashing: every replica puts the same deployments in the same
// order for the same key, without talking, and losing one deployment moves
// only its own keys.
//
// Pure; the same on every machine and in every version (tested by value).
#ifndef LLM_ROUTER_RENDEZVOUS_H_
#define LLM_ROUTER_RENDEZVOUS_H_

#include <cstdint>
#include <string_view>

namespace llm {

// 64 well mixed bits of `text`; not for secrets.
uint64_t StableHash(std::string_view text);

// The larger, the earlier. A deployment of weight w comes first for a share
// of keys proportional to w.
double RendezvousScore(std::string_view key, std::string_view deployment,
                       int weight);

}  // namespace llm

#endif  // LLM_ROUTER_RENDEZVOUS_H_
