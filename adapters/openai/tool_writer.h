// Tools, the choice among them, and the asked form of the answer, bent to
// what one vendor and model take.
//
// Threads:   Not safe; one object per request.
// Ownership: Everything given to the constructor outlives the writer.
#ifndef LLM_ADAPTERS_OPENAI_TOOL_WRITER_H_
#define LLM_ADAPTERS_OPENAI_TOOL_WRITER_H_

#include <string>

#include "adapters/core/chat_request.h"
#include "adapters/core/json.h"
#include "adapters/core/provider.h"
#include "adapters/dialect/dropped_fields.h"
#include "adapters/openai/profiles.h"

namespace llm::openai {

class ToolWriter {
 public:
  struct Setting {
    const Profile& profile;
    const ModelTraits& traits;
    std::string_view model;
    bool thinking;
  };
  ToolWriter(Setting setting, DroppedFields& dropped, JsonWriter& out)
      : setting_(setting), dropped_(dropped), out_(out) {}

  // Each of these writes one member, or none.
  void WriteTools(const ChatRequest& request);
  void WriteToolChoice(const ChatRequest& request);
  void WriteParallelCalls(const ChatRequest& request);
  void WriteResponseFormat(const ChatRequest& request);

  // Servers without JSON schemas are given it in words (deepseek.md section
  // 2, 2026-11-20): the text of a system message, or empty.
  std::string SchemaInstruction(const ChatRequest& request) const;

 private:
  void WriteTool(const v1::Tool& tool);
  bool WithholdsTools(const ChatRequest& request) const;
  bool FormatMeetsTools(const ChatRequest& request) const;
  bool ForcedAllowed(const v1::ToolChoice& choice) const;
  bool DowngradesSchema(const ChatRequest& request) const;

  const Setting setting_;
  DroppedFields& dropped_;
  JsonWriter& out_;
  bool any_tools_ = false;
};

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_TOOL_WRITER_H_
