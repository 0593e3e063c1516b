// Which result answers which call, and how Gemini is told: every call of a
// model's turn has exactly one functionResponse in the turn after it, in call
// order [TRN-4].
//
// A result is matched by its id to a call before it that bears the id and has
// none yet: of the latest message that has one, in the order of the calls
// there; role `function`, OpenAI's old form, by its name. A call without a
// result gets one that says so: {"error": "no result …"}, named as dropped. A
// result without a call is refused.
//
// Threads:   Not safe; one object per request.
// Ownership: Everything given to the constructor outlives the object.
// Fact:      gemini.md section 2.1 (2026-11-20).
#ifndef LLM_ADAPTERS_GEMINI_TOOL_RESULTS_H_
#define LLM_ADAPTERS_GEMINI_TOOL_RESULTS_H_

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/gemini/rendering.h"
#include "llm/v1/chat.pb.h"

namespace llm::gemini {

struct CallSlot {
  int message = 0;
  std::string id;
  std::string name;
  const v1::Message* result = nullptr;
};

struct RenderedResult {
  std::string part;
  // Media that this model does not take inside the result.
  std::vector<std::string> beside;
};

class ToolResults {
 public:
  ToolResults(const v1::ChatCompletionRequest& request, Rendering& to);

  // The calls of one message, in order.
  std::vector<const CallSlot*> CallsOf(int message) const;
  // Every function that is called anywhere, each once.
  std::vector<std::string> CalledNames() const;
  RenderedResult Render(const CallSlot& slot) const;

 private:
  // A result's content in its two places.
  struct Content {
    std::string text;
    std::string response;  // a JSON object
    bool media = false;
    std::vector<std::string> inside;
    std::vector<std::string> beside;
  };
  Content Read(const v1::Message& result) const;
  // Slots without a result, the next to get one last.
  using Open = std::map<std::string, std::vector<size_t>>;
  void AddCalls(const v1::Message& message, int at);
  void AddSlots(const v1::Message& message, int at);
  CallSlot* Next(Open& open, const std::string& key);
  void Match(const v1::Message& message);

  Rendering& to_;
  // In order of messages.
  std::vector<CallSlot> slots_;
  Open by_id_;
  Open by_name_;
};

// The id as it is sent; empty: none is.
std::string SentCallId(std::string_view id, const Rendering& to);

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_TOOL_RESULTS_H_
