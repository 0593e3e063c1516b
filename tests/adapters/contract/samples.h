// One short conversation as each dialect puts it on the wire, for the
// contract suite: what must hold of any dialect is tested over all of them.
//
// Written by us after the providers' pages (2026-11).
#ifndef LLM_TESTS_ADAPTERS_CONTRACT_SAMPLES_H_
#define LLM_TESTS_ADAPTERS_CONTRACT_SAMPLES_H_

#include <string>
#include <vector>

#include "adapters/core/failure.h"

namespace llm {

// A refusal, and what it is.
struct RefusalSample {
  int status;
  std::string body;
  FailureClass want;
};

struct DialectSample {
  std::string dialect;
  std::string base_url;
  std::string model;
  // The header that carries the key, and its value for the key "sk-planted".
  std::string key_header;
  std::string key_value;
  // Reasoning "Think.", text "Hello there"; 10 tokens in, of which 4 from the
  // cache, 6 out; ends with stop.
  std::string whole;
  std::vector<std::string> events;
  // One call of `look` with {"a": 1}; ends with tool_calls.
  std::string whole_call;
  std::vector<std::string> call_events;
  // Comes after the first content event of `events`.
  std::string error_event;
  FailureClass error_class;
  // A success without content.
  std::string empty;
  // An event of a kind that nobody knows yet.
  std::string unknown_event;
  std::vector<RefusalSample> refusals;
  // How many of the last `events` say that the answer is complete.
  size_t terminal_events;

  std::string Stream() const;
  std::string CallStream() const;
};

const std::vector<DialectSample>& AllDialects();

}  // namespace llm

#endif  // LLM_TESTS_ADAPTERS_CONTRACT_SAMPLES_H_
