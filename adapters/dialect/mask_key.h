// The attempt's own key, taken out of what a provider says.
//
// Threads: Pure.
#ifndef LLM_ADAPTERS_DIALECT_MASK_KEY_H_
#define LLM_ADAPTERS_DIALECT_MASK_KEY_H_

#include <string>

#include "adapters/core/ids.h"

namespace llm {

// Some servers quote the key they were sent; whatever it looks like, it must
// not reach the caller [SEC-5]. Before a text is cut: half of a key is none.
void MaskKey(const ApiKey& key, std::string* text);
// For a text that was cut before: the start of a key at its end goes too.
void MaskCutKey(const ApiKey& key, std::string* text);

}  // namespace llm

#endif  // LLM_ADAPTERS_DIALECT_MASK_KEY_H_
