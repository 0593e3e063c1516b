// Tools, the choice among them, and an answer's form where it takes a tool.
//
// Threads:   Not safe; one object per rendered request.
// Ownership: Everything given to the constructor outlives the writer.
// Fact:      anthropic.md 2, 3 and 3.5 (2026-11-20).
#ifndef LLM_ADAPTERS_ANTHROPIC_TOOL_WRITER_H_
#define LLM_ADAPTERS_ANTHROPIC_TOOL_WRITER_H_

#include <string>
#include <string_view>
#include <vector>

#include "adapters/anthropic/block.h"
#include "adapters/anthropic/claude_models.h"
#include "adapters/anthropic/content_writer.h"
#include "adapters/core/provider.h"
#include "adapters/dialect/function_names.h"
#include "llm/v1/chat.pb.h"

namespace llm::anthropic {

struct ToolPlan {
  // One block per tool, in the caller's order.
  std::vector<Block> tools;
  // The `tool_choice` member, JSON; empty: not sent.
  std::string choice;
  // A call is forced.
  bool forced = false;
  // The tool whose input is the answer's content; empty for none.
  std::string answer_tool;
};

class ToolWriter {
 public:
  ToolWriter(const ClaudeModel& model, const ModelTraits& traits,
             const FunctionNames& names, RenderNotes& notes)
      : model_(model),
        traits_(traits),
        sent_(names),
        notes_(notes),
        content_(notes) {}

  // `called`: the caller's names of tools that the history calls. Where nobody
  // declares any, they are declared, and not to be called.
  ToolPlan Plan(const v1::ChatCompletionRequest& request,
                const std::vector<std::string>& called);

  // True where the model cannot be held to a schema but by a tool.
  bool SchemaByTool(const v1::ChatCompletionRequest& request) const;

 private:
  Block FunctionBlock(const v1::Tool& tool);
  void AddTool(const v1::Tool& tool);
  void AddNative(const v1::Tool& tool);
  void Choose(const v1::ChatCompletionRequest& request);
  void ChooseOther(std::string_view json);
  void Allow(JsonValue allowed);
  void Force(std::string_view type, std::string_view name);
  void AddAnswerTool(const v1::ChatCompletionRequest& request);
  void WriteChoice(const v1::ChatCompletionRequest& request);

  const ClaudeModel& model_;
  const ModelTraits& traits_;
  const FunctionNames& sent_;
  RenderNotes& notes_;
  ContentWriter content_;
  ToolPlan plan_;
  // Parallel to plan_.tools; the caller's.
  std::vector<std::string> names_;
  // auto, any, tool, none; empty: not said.
  std::string choice_type_;
  std::string choice_name_;
  // The caller's own form of the choice wants one call at a time.
  bool alone_ = false;
};

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_TOOL_WRITER_H_
