#include "adapters/core/http_transport.h"

#include "absl/strings/match.h"
#include "adapters/core/text.h"

namespace llm {

const std::string* FindHeader(const std::vector<HttpHeader>& headers,
                              std::string_view name) {
  for (const HttpHeader& header : headers) {
    if (absl::EqualsIgnoreCase(header.name, ToAbsl(name))) return &header.value;
  }
  return nullptr;
}

}  // namespace llm
