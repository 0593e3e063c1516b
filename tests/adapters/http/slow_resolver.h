// A name server that stays silent until told otherwise: getaddrinfo of this
// program answers "slow.test" only when the gate is open.
//
// Threads: Any.
#ifndef LLM_TESTS_ADAPTERS_HTTP_SLOW_RESOLVER_H_
#define LLM_TESTS_ADAPTERS_HTTP_SLOW_RESOLVER_H_

namespace llm {

inline constexpr char kSlowHost[] = "slow.test";

// While alive, look-ups of kSlowHost block; then they fail.
class SlowResolver {
 public:
  SlowResolver();
  ~SlowResolver();  // waits until every blocked look-up has left
  SlowResolver(const SlowResolver&) = delete;
  SlowResolver& operator=(const SlowResolver&) = delete;

  int blocked() const;  // look-ups in progress
};

}  // namespace llm

#endif  // LLM_TESTS_ADAPTERS_HTTP_SLOW_RESOLVER_H_
