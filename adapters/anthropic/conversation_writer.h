// The canonical messages as Anthropic's turns [TRN-4].
//
//   leading system and developer messages   the system prompt
//   a run of assistant messages             one assistant turn: thinking,
//                                           text, then calls
//   everything until the next of them       one user turn: results in the
//                                           order of their calls, then the
//                                           rest in order
//
// Nothing is invented without a name in `dropped`: a result that is missing
// ("messages.tool_calls.result"), a first user turn ("messages.role"). What
// moves is named, too: system text in mid-conversation ("messages.system").
//
// Threads:   Not safe; one object per rendered request.
// Ownership: Everything given to the constructor outlives the writer.
// Fact:      anthropic.md 3.1 and 3.3 (2026-11-20).
#ifndef LLM_ADAPTERS_ANTHROPIC_CONVERSATION_WRITER_H_
#define LLM_ADAPTERS_ANTHROPIC_CONVERSATION_WRITER_H_

#include <string>
#include <string_view>
#include <vector>

#include "adapters/anthropic/block.h"
#include "adapters/anthropic/call_ids.h"
#include "adapters/anthropic/content_writer.h"
#include "adapters/core/chat_request.h"
#include "adapters/dialect/function_names.h"

namespace llm::anthropic {

struct Conversation {
  std::vector<Block> system;
  std::vector<Turn> turns;
  // The caller's names of the tools that were called, each once, in order.
  std::vector<std::string> called_tools;
  // The model is in the middle of a tool loop: its calls were answered, and
  // nobody has spoken since.
  bool in_tool_loop = false;
  // That loop begins with the model's thinking, proof and all.
  bool loop_has_thinking = false;
  // The last word is the assistant's, for the model to go on from.
  bool prefill = false;
};

class ConversationWriter {
 public:
  struct Setting {
    // The upstream model's id: some proofs go back to their maker only.
    std::string_view model;
    // An assistant message may stand at the end.
    bool prefill = true;
    // The caller asked for system turns in mid-conversation (a beta).
    bool system_turns = false;
  };
  ConversationWriter(Setting setting, const FunctionNames& names,
                     RenderNotes& notes)
      : setting_(setting), names_(names), notes_(notes), content_(notes) {}

  Conversation Write(const ChatRequest& request);

 private:
  using Messages = std::vector<const v1::Message*>;
  // A call of the last assistant turn.
  struct Call {
    std::string id;       // the caller's
    std::string written;  // as it was written
    const v1::Message* result = nullptr;
  };

  void AddSystem(const v1::Message& message, std::vector<Block>* out);
  void AddAssistant(const Messages& run);
  bool IsRestored(const v1::Message* message) const;
  // What was put back is not the caller's, who must not hear of its loss, nor
  // be refused for it.
  void NameProof(std::string_view name) {
    if (!put_back_) notes_.dropped.Add(name);
  }
  void AddAssistantParts(const v1::Message& message, std::vector<Block>* out);
  bool AddReasoning(const v1::ReasoningPart& part, std::string* pending,
                    std::vector<Block>* out);
  void AddCall(const v1::ToolCall& call, std::vector<Block>* out);
  void AddUser(const Messages& run);
  void MatchResults(const Messages& run);
  Block ResultBlock(const Call& call);
  void WriteResultContent(const v1::Message& message, JsonWriter* out,
                          Block* block);
  void AddMidSystem(const Messages& run, std::vector<Block>* user);
  void AddTurn(Turn turn);
  void AddMessageExtra(const v1::Message& message, size_t first,
                       std::vector<Block>* blocks);
  void CheckEnds();
  void NoteLoop();

  const Setting setting_;
  const FunctionNames& names_;
  RenderNotes& notes_;
  ContentWriter content_;
  CallIds ids_;
  Conversation out_;
  std::vector<Call> calls_;
  Messages restored_;
  // The message at hand holds what its client had dropped.
  bool put_back_ = false;
};

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_CONVERSATION_WRITER_H_
