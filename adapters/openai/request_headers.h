// What every request to a provider carries, and how its key is kept out of
// what comes back.
//
// Threads: Pure.
#ifndef LLM_ADAPTERS_OPENAI_REQUEST_HEADERS_H_
#define LLM_ADAPTERS_OPENAI_REQUEST_HEADERS_H_

#include <string>
#include <vector>

#include "adapters/core/http_transport.h"
#include "adapters/core/ids.h"
#include "adapters/openai/profiles.h"

namespace llm::openai {

// The credential in this vendor's header, if there is one, and our name.
std::vector<HttpHeader> RequestHeaders(const Profile& profile,
                                       const ApiKey& key);

// Some servers quote the key they were sent; whatever it looks like, it must
// not reach the caller [SEC-5]. Before a text is cut: half of a key is none.
void MaskKey(const ApiKey& key, std::string* text);
// For a text that was cut before: the start of a key at its end goes too.
void MaskCutKey(const ApiKey& key, std::string* text);

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_REQUEST_HEADERS_H_
