// The calls of the assistant's turn at hand, and their results as blocks of
// the user's turn behind it: each call has one, in the order of the calls.
//
// Threads:   Not safe; one object per rendered request.
// Ownership: Everything given to the constructor outlives the writer.
// Fact:      anthropic.md 3.1 (2026-11-20).
#ifndef LLM_ADAPTERS_ANTHROPIC_RESULT_WRITER_H_
#define LLM_ADAPTERS_ANTHROPIC_RESULT_WRITER_H_

#include <span>
#include <string>
#include <vector>

#include "adapters/anthropic/block.h"
#include "adapters/anthropic/call_ids.h"
#include "adapters/anthropic/content_writer.h"
#include "llm/v1/chat.pb.h"

namespace llm::anthropic {

class ResultWriter {
 public:
  ResultWriter(ContentWriter& content, RenderNotes& notes)
      : content_(content), notes_(notes) {}

  // One more call, by the caller's id; returns the id it is written with.
  std::string AddCall(const std::string& id);
  // Calls wait for their results.
  bool waits() const { return !calls_.empty(); }
  // Forgets the calls.
  void Clear() { calls_.clear(); }
  // The results of all calls, which are done with; `run` may hold other
  // messages besides. One that answers no call is refused, a missing one is
  // made up and named.
  std::vector<Block> Take(std::span<const v1::Message* const> run);

 private:
  struct Call {
    std::string id;       // the caller's
    std::string written;  // as it was written
    const v1::Message* result = nullptr;
  };

  void Match(std::span<const v1::Message* const> run);
  Block ResultBlock(const Call& call);
  void WriteContent(const v1::Message& message, JsonWriter* out, Block* block);

  ContentWriter& content_;
  RenderNotes& notes_;
  CallIds ids_;
  std::vector<Call> calls_;
};

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_RESULT_WRITER_H_
