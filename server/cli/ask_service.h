// One question to a running service, for the commands that ask one. Internal
// to this room.
//
// Threads: The caller's.
// Errors:  Printed to the host's error stream; nullopt then.
#ifndef LLM_SERVER_CLI_ASK_SERVICE_H_
#define LLM_SERVER_CLI_ASK_SERVICE_H_

#include <optional>
#include <string>
#include <string_view>

#include "adapters/core/json.h"
#include "server/cli/commands.h"

namespace llm::server {

// The body of a 2xx answer. `caller_key`: a caller's own key will do.
std::optional<std::string> AskService(const RemoteOptions& remote,
                                      const std::string& method,
                                      const std::string& path, bool caller_key,
                                      const std::string& body,
                                      const CliHost& host);

// `text` is kept by the caller as long as the document is used.
std::optional<JsonDocument> ParseServiceAnswer(const std::string& text,
                                               const CliHost& host);

// For one query value or path segment.
std::string EscapePath(std::string_view text);

// For a table's cell.
std::string OrDash(std::string text);

}  // namespace llm::server

#endif  // LLM_SERVER_CLI_ASK_SERVICE_H_
