// Secrets by reference: env:NAME or file:PATH.
#ifndef LLM_SERVER_CONFIG_SECRET_REFERENCE_H_
#define LLM_SERVER_CONFIG_SECRET_REFERENCE_H_

#include <string>

#include "absl/status/statusor.h"
#include "adapters/core/ids.h"
#include "server/config/config_draft.h"

namespace llm::server {

// The secret behind `reference`. kInvalidArgument for an inline secret (which
// the message does not repeat), an unset or empty variable, an unreadable or
// empty file, and text that cannot stand in a header.
absl::StatusOr<ApiKey> ResolveSecret(const std::string& reference,
                                     LoadContext* context);

// At most `limit` bytes of a file. kNotFound, kPermissionDenied,
// kInvalidArgument (a directory, or longer).
absl::StatusOr<std::string> ReadSmallFile(const std::string& path,
                                          size_t limit);

}  // namespace llm::server

#endif  // LLM_SERVER_CONFIG_SECRET_REFERENCE_H_
