// From a provider's answer to one of the classes that change what happens
// next [RTY-2]: a table of (vendor, HTTP status, code or type, words).
//
// The words of a provider leave here only cut and cleaned.
//
// Threads: Pure.
// Fact:    Each row's page and date stand with its vendor in error_table.cc.
#ifndef LLM_ADAPTERS_OPENAI_ERROR_TABLE_H_
#define LLM_ADAPTERS_OPENAI_ERROR_TABLE_H_

#include <string_view>

#include "adapters/core/failure.h"
#include "adapters/dialect/error_rows.h"
#include "adapters/openai/profiles.h"

namespace llm::openai {

// The class alone. `http_status` is the answer's; for an error inside a 200
// the status named in the body, or what its words imply, counts.
FailureClass ClassifyError(const Profile& profile, int http_status,
                           const ErrorWords& words);

// The whole record; retry_after only as far as the body says it.
UpstreamFailure DescribeError(const Profile& profile, int http_status,
                              const ErrorWords& words);

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_ERROR_TABLE_H_
