#include "adapters/core/random.h"

#include <openssl/rand.h>

#include <cstdlib>
#include <random>

namespace llm {

uint64_t SystemRandom::Bits() {
  thread_local std::mt19937_64 generator = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  return generator();
}

void SecureBytes(void* data, std::size_t size) {
  // Without randomness no secret can be made; there is no way to go on.
  if (RAND_bytes(static_cast<unsigned char*>(data), static_cast<int>(size)) !=
      1) {
    std::abort();
  }
}

}  // namespace llm
