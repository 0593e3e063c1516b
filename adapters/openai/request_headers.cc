#include "adapters/openai/request_headers.h"

#include "absl/strings/str_cat.h"

namespace llm::openai {

std::vector<HttpHeader> RequestHeaders(const Profile& profile,
                                       const ApiKey& key) {
  std::vector<HttpHeader> headers = {
      {"user-agent", "llm-service/" LLM_VERSION}};
  if (key.empty()) return headers;
  if (profile.auth == AuthStyle::kApiKeyHeader) {
    headers.push_back({"api-key", key.Reveal()});
  } else {
    headers.push_back({"authorization", absl::StrCat("Bearer ", key.Reveal())});
  }
  return headers;
}

}  // namespace llm::openai
