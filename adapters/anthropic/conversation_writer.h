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
// ("messages.tool_calls.result"), a first user turn ("messages.role"), words
// for a user's turn that held none ("messages.content"). What moves is named,
// too: system text in mid-conversation ("messages.system").
//
// Threads:   Not safe; one object per rendered request.
// Ownership: Everything given to the constructor outlives the writer.
// Fact:      anthropic.md 3.1 and 3.3 (2026-11-20).
#ifndef LLM_ADAPTERS_ANTHROPIC_CONVERSATION_WRITER_H_
#define LLM_ADAPTERS_ANTHROPIC_CONVERSATION_WRITER_H_

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/anthropic/block.h"
#include "adapters/anthropic/content_writer.h"
#include "adapters/anthropic/result_writer.h"
#include "adapters/anthropic/turn_order.h"
#include "adapters/core/chat_request.h"
#include "adapters/dialect/function_names.h"

namespace llm::anthropic {

struct Conversation {
  std::vector<Block> system;
  std::vector<Turn> turns;
  // The caller's names of the tools that were called, each once, in order.
  std::vector<std::string> called_tools;
  ToolLoop loop;
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
      : setting_(setting),
        names_(names),
        notes_(notes),
        content_(notes),
        results_(content_, notes) {}

  Conversation Write(const ChatRequest& request);

 private:
  using Messages = std::vector<const v1::Message*>;
  std::vector<Block> ReadSystem(const v1::Message& message);
  void AddAssistant(const Messages& run);
  bool IsRestored(const v1::Message* message) const;
  void AddAssistantParts(const v1::Message& message, std::vector<Block>* out);
  bool AddReasoning(const v1::ReasoningPart& part, std::string* pending,
                    std::vector<Block>* out);
  void AddCall(const v1::ToolCall& call, std::vector<Block>* out);
  void AddUser(const Messages& run);
  void AddSpoken(const v1::Message& message, std::vector<Block>* user,
                 Turn* system);
  void AddMidSystem(Turn system, std::vector<Block> user);
  void AddMessageExtra(const v1::Message& message, std::vector<Block>* said);
  void CheckEnds();

  const Setting setting_;
  const FunctionNames& names_;
  RenderNotes& notes_;
  ContentWriter content_;
  ResultWriter results_;
  Conversation out_;
  // Those in out_.called_tools.
  std::set<std::string> called_;
  Messages restored_;
};

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_CONVERSATION_WRITER_H_
