// Names that must not be mixed up, and the ids we mint.
//
// CallId and AttemptId are UUIDv7 (RFC 9562): minted before any upstream byte
// leaves, ordered by time, equal on no two machines. A provider's own ids are
// never used as keys.
#ifndef LLM_ADAPTERS_CORE_IDS_H_
#define LLM_ADAPTERS_CORE_IDS_H_

#include <compare>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "adapters/core/random.h"

namespace llm {

#define LLM_DEFINE_ID(Name)                                      \
  struct Name {                                                  \
    std::string value;                                           \
    friend auto operator<=>(const Name&, const Name&) = default; \
    template <typename H>                                        \
    friend H AbslHashValue(H h, const Name& id) {                \
      return H::combine(std::move(h), id.value);                 \
    }                                                            \
  }

LLM_DEFINE_ID(ProviderId);  // "deepseek", "my-vllm"
LLM_DEFINE_ID(ModelId);     // public or upstream; may hold '/' and ':'
LLM_DEFINE_ID(CallId);      // one caller request
LLM_DEFINE_ID(AttemptId);   // one upstream call
LLM_DEFINE_ID(KeyId);       // one virtual key, "key_…"

#undef LLM_DEFINE_ID

// A UUIDv7 in its 36-character form for the given wall time.
std::string MintUuidV7(absl::Time now, Random& random);

// A provider credential. No stream operator, no implicit conversion.
class ApiKey {
 public:
  ApiKey() = default;
  explicit ApiKey(std::string secret) : secret_(std::move(secret)) {}
  bool empty() const { return secret_.empty(); }
  // Only for the header that carries it.
  const std::string& Reveal() const { return secret_; }
  // Constant time for equal lengths.
  bool Equals(std::string_view other) const;

 private:
  std::string secret_;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_CORE_IDS_H_
