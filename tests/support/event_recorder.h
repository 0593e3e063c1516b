// A sink that keeps every chunk, and the answer they add up to.
//
// Threads: One event loop.
#ifndef LLM_TESTS_SUPPORT_EVENT_RECORDER_H_
#define LLM_TESTS_SUPPORT_EVENT_RECORDER_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "adapters/core/provider.h"

namespace llm {

class EventRecorder : public EventSink {
 public:
  Task<absl::Status> Write(v1::ChatCompletionChunk&& chunk) override;

  // Returned by every Write.
  absl::Status answer = absl::OkStatus();
  std::vector<v1::ChatCompletionChunk> chunks;
};

struct CollectedCall {
  std::string id;
  std::string name;
  std::string arguments;
  friend bool operator==(const CollectedCall&, const CollectedCall&) = default;
};

// One choice, its fragments joined as chat.proto says.
struct CollectedChoice {
  std::string role;
  std::string reasoning;
  std::string text;
  std::string refusal;
  std::vector<CollectedCall> calls;
  std::string finish;
  std::string native_finish;
  int finishes = 0;
  std::string function_call;
  std::string audio;
  std::string annotations;
  std::string logprobs;
  std::vector<std::string> opaque;
  std::string extra;
  friend bool operator==(const CollectedChoice&,
                         const CollectedChoice&) = default;
};

std::map<int, CollectedChoice> Collect(
    const std::vector<v1::ChatCompletionChunk>& chunks);

// A choice in one line, for tables: "R:… T:… X:… C:id/name(args) F:stop".
// What is empty is left out.
std::string Describe(const CollectedChoice& choice);

}  // namespace llm

#endif  // LLM_TESTS_SUPPORT_EVENT_RECORDER_H_
