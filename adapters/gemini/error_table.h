// From a refusal of Google's to one of the classes that change what happens
// next [RTY-2]: a table of (HTTP status, status word or reason, words).
//
// Threads: Pure.
// Fact:    gemini.md section 6;
//          https://ai.google.dev/gemini-api/docs/troubleshooting (2026-11-20).
#ifndef LLM_ADAPTERS_GEMINI_ERROR_TABLE_H_
#define LLM_ADAPTERS_GEMINI_ERROR_TABLE_H_

#include "adapters/core/failure.h"
#include "adapters/dialect/error_body.h"

namespace llm::gemini {

// `http_status` is the answer's; for an error inside a 200 the status named in
// the body, or what its words imply, counts.
FailureClass ClassifyError(int http_status, const ErrorWords& words);

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_ERROR_TABLE_H_
