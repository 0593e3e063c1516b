// What every request to a provider carries.
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

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_REQUEST_HEADERS_H_
