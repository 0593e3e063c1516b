// Where nobody needs a key, the listener's address is the only gate: every
// program of this machine may call, and so could every web page that its
// browser shows. This tells such pages from programs.
//
// Two ways in, two signs: a page of another origin that posts here sends its
// Origin; one whose name was rebound to 127.0.0.1 sends that name as Host.
//
// Threads: Pure functions.
#ifndef LLM_SERVER_HTTP_FOREIGN_CALLER_H_
#define LLM_SERVER_HTTP_FOREIGN_CALLER_H_

#include <string>
#include <string_view>
#include <vector>

#include "server/http/http_message.h"

namespace llm::server {

// What gives the caller away, for the refusal; empty for programs. `cors`:
// origins that are welcome, as configured ("*": all).
std::string_view ForeignCaller(const HttpRequest& request,
                               const std::vector<std::string>& cors);

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_FOREIGN_CALLER_H_
