// Where one attempt writes. What it writes reaches the caller only if the
// attempt wins the call's commit gate.
//
//   stream: the first chunk with content asks the gate; a winner's chunks
//           then go straight on, and Write returns when the caller has taken
//           them. What came before (a finish without content) is held.
//   unary:  chunks are put together here; the gate is asked when the attempt
//           has succeeded, so a failure in mid-answer can still fall back.
//
// Threads:   The call's event loop. Two sinks may be open at one gate.
// Ownership: Everything passed in outlives the sink.
// Errors:    kCancelled for every Write after another attempt has won.
#ifndef LLM_ROUTER_ATTEMPT_SINK_H_
#define LLM_ROUTER_ATTEMPT_SINK_H_

#include <functional>
#include <string>
#include <vector>

#include "adapters/core/clock.h"
#include "adapters/core/provider.h"
#include "router/commit_gate.h"
#include "router/kept_turn.h"
#include "router/response_assembler.h"
#include "router/stream_shaper.h"
#include "router/token_estimate.h"

namespace llm {

class AttemptSink : public EventSink {
 public:
  struct Options {
    int attempt = 0;
    CommitGate* gate = nullptr;
    const Clock* clock = nullptr;
    // Null: unary.
    StreamShaper* shaper = nullptr;
    // Puts a stream's turn together beside the caller's chunks, for
    // TakeTurn; of this many bytes at most. 0: no.
    size_t max_turn_bytes = 0;
    // Called once, at the first content, before it is passed on.
    std::function<void()> on_first_content;
    // Called once, when this attempt wins, before anything of it is written,
    // with the request fields that it did not send on.
    std::function<void(const std::vector<std::string>& dropped)> on_commit;
  };
  explicit AttemptSink(Options options);

  void OnDropped(const std::vector<std::string>& fields) override {
    dropped_ = fields;
  }
  Task<absl::Status> Write(v1::ChatCompletionChunk&& chunk) override;
  // After the provider has succeeded: wins the gate if it is still open and
  // passes on what was held. kCancelled if another attempt has won.
  Task<absl::Status> Complete();

  // Unary, after Complete: the whole answer.
  v1::ChatCompletionResponse TakeResponse() { return assembler_.Take(); }
  // A stream's turn, if it is one to keep. Once.
  std::optional<v1::Message> TakeTurn() { return recorder_.Take(); }

  bool content_seen() const { return content_seen_; }
  bool committed() const { return committed_; }
  // The caller's sink refused a chunk.
  bool caller_failed() const { return caller_failed_; }
  int64_t estimated_output_tokens() const { return estimate_.Tokens(); }
  const std::vector<std::string>& tool_call_ids() const {
    return tool_call_ids_;
  }
  // Time spent in here, and how much of it waiting for the caller.
  absl::Duration busy() const { return busy_; }
  absl::Duration caller_wait() const { return caller_wait_; }

 private:
  bool Commit();
  void Note(const v1::ChatCompletionChunk& chunk);
  Task<absl::Status> Pass(v1::ChatCompletionChunk&& chunk);

  Options options_;
  ResponseAssembler assembler_;
  TurnRecorder recorder_;
  std::vector<v1::ChatCompletionChunk> held_;
  TokenEstimate estimate_;
  std::vector<std::string> tool_call_ids_;
  std::vector<std::string> dropped_;
  bool content_seen_ = false;
  bool committed_ = false;
  bool caller_failed_ = false;
  absl::Duration busy_;
  absl::Duration caller_wait_;
};

}  // namespace llm

#endif  // LLM_ROUTER_ATTEMPT_SINK_H_
