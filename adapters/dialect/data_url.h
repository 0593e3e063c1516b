// A data: URL in its parts (RFC 2397):
//
//   data:[type][;name=value]*[;base64],content
//
// Threads: Pure.
// Errors:  kInvalidArgument, with words for the caller.
#ifndef LLM_ADAPTERS_DIALECT_DATA_URL_H_
#define LLM_ADAPTERS_DIALECT_DATA_URL_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace llm {

struct DataUrl {
  // In small letters, without parameters; empty where none is said, for the
  // reader to guess.
  std::string type;
  // The content's base64, which was not looked into where it came as such.
  std::string base64;
};

bool IsDataUrl(std::string_view url);

// `url` is a data: URL. One without content is an error: no provider takes an
// empty picture or file.
absl::StatusOr<DataUrl> ReadDataUrl(std::string_view url);

}  // namespace llm

#endif  // LLM_ADAPTERS_DIALECT_DATA_URL_H_
