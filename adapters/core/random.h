// The source of jitter and of ids' random bits, passed in so that tests can
// fix it.
//
// Threads: Any thread.
#ifndef LLM_ADAPTERS_CORE_RANDOM_H_
#define LLM_ADAPTERS_CORE_RANDOM_H_

#include <cstddef>
#include <cstdint>

namespace llm {

class Random {
 public:
  virtual ~Random() = default;
  // 64 uniformly random bits. Good enough for ids and jitter.
  virtual uint64_t Bits() = 0;
  // Uniform in [0, 1).
  double Unit() { return static_cast<double>(Bits() >> 11) * 0x1.0p-53; }
};

// Per-thread generators seeded from the operating system.
class SystemRandom : public Random {
 public:
  uint64_t Bits() override;
};

// Fills `size` bytes from the operating system's secure source: for secrets.
void SecureBytes(void* data, std::size_t size);

}  // namespace llm

#endif  // LLM_ADAPTERS_CORE_RANDOM_H_
