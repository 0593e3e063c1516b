// From Anthropic's answer to a failure class [RTY-2].
//
// Threads: Pure.
// Fact:    anthropic.md 6 (2026-11-20); each odd row says its own.
#ifndef LLM_ADAPTERS_ANTHROPIC_ERROR_TABLE_H_
#define LLM_ADAPTERS_ANTHROPIC_ERROR_TABLE_H_

#include "adapters/core/failure.h"
#include "adapters/dialect/error_rows.h"

namespace llm::anthropic {

FailureClass ClassifyError(int http_status, const ErrorWords& words);

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_ERROR_TABLE_H_
