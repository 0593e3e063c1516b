// From a provider's answer to one of the classes that change what happens
// next [RTY-2]: the first row of a dialect's table that fits, else the HTTP
// status.
//
// The words of a provider leave here only cut and cleaned.
//
// Threads: Pure.
#ifndef LLM_ADAPTERS_DIALECT_ERROR_ROWS_H_
#define LLM_ADAPTERS_DIALECT_ERROR_ROWS_H_

#include <span>
#include <string_view>

#include "adapters/core/failure.h"
#include "adapters/core/ids.h"
#include "adapters/dialect/error_body.h"

namespace llm {

// The first row whose every set column fits decides.
struct ErrorRow {
  std::string_view vendor;  // who says so; empty: everybody
  int status;               // 0: any
  std::string_view word;    // code or type, without regard to case; "x*" prefix
  std::string_view text;    // part of the message, lower case
  FailureClass failure;
};

// The class alone. `http_status` is the answer's; for an error inside a 200
// the status named in the body, or what its words imply, counts.
FailureClass ClassifyByRows(std::span<const ErrorRow> rows,
                            std::string_view vendor, int http_status,
                            const ErrorWords& words);

// The whole record; retry_after only as far as the body says it.
UpstreamFailure DescribeFailure(FailureClass failure, int http_status,
                                const ErrorWords& words);

// The words without `key`: taken out before they are cut.
ErrorWords WithoutKey(ErrorWords words, const ApiKey& key);

}  // namespace llm

#endif  // LLM_ADAPTERS_DIALECT_ERROR_ROWS_H_
