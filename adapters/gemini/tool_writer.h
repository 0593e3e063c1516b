// Tools and the choice among them: `tools` and `toolConfig`.
//
// Threads:   Not safe; one object per request.
// Ownership: Everything given to the constructor outlives the writer.
// Fact:      gemini.md section 2.2 (2026-11-20).
#ifndef LLM_ADAPTERS_GEMINI_TOOL_WRITER_H_
#define LLM_ADAPTERS_GEMINI_TOOL_WRITER_H_

#include <string>
#include <string_view>
#include <vector>

#include "adapters/core/json.h"
#include "adapters/gemini/native_fields.h"
#include "adapters/gemini/rendering.h"
#include "llm/v1/chat.pb.h"

namespace llm::gemini {

class ToolWriter {
 public:
  ToolWriter(const v1::ChatCompletionRequest& request, Rendering& to)
      : request_(request), to_(to) {}

  // A JSON array; empty for no tools. `called` are the functions that the
  // history calls: without any tools they are declared by name alone, and
  // none may be called [TRN-4]; nor are they declared beside an answer in
  // JSON, where the two exclude each other.
  std::string Tools(const std::vector<std::string>& called,
                    const NativeFields& native);
  // After Tools: a JSON object; empty where nothing is to be said.
  std::string ToolConfig(const NativeFields& native);

 private:
  struct Choice {
    std::string mode;  // AUTO, NONE, ANY, VALIDATED; empty: not said
    std::vector<std::string> allowed;
  };

  void ReadTool(const v1::Tool& tool);
  void Declare(const v1::FunctionTool& function);
  bool FunctionsStandAlone() const;
  void ReadBuiltIn(const std::string& json, bool functions_alone);
  bool Withheld(const std::string& name) const;
  Choice ReadChoice();
  Choice ReadAllowed(JsonValue choice);
  Choice Forced(std::vector<std::string> allowed);
  void LimitDeclarations();
  bool WriteOwn(JsonValue members, bool chosen, JsonWriter& out);

  const v1::ChatCompletionRequest& request_;
  Rendering& to_;
  std::vector<std::string> declarations_;
  std::vector<std::string> built_in_;
  // Functions a choice leaves, where the model cannot be told; empty: all.
  std::vector<std::string> only_;
  bool strict_ = false;
  bool synthesised_ = false;
};

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_TOOL_WRITER_H_
