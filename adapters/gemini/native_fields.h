// Gemini's own request members, wherever a caller of another dialect can put
// them: beside OpenAI's fields, in either spelling, or in the `extra_body:
// {google: …}` that Google's own OpenAI endpoint takes.
//
// Threads: Pure.
// Fact:    gemini.md section 2; Google's shim:
//          https://ai.google.dev/gemini-api/docs/openai (2026-11-20).
#ifndef LLM_ADAPTERS_GEMINI_NATIVE_FIELDS_H_
#define LLM_ADAPTERS_GEMINI_NATIVE_FIELDS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/core/json.h"
#include "adapters/gemini/rendering.h"

namespace llm::gemini {

struct NativeField {
  std::string name;   // as Gemini spells it
  std::string value;  // JSON
  // Where it stood in the request, in the caller's spelling.
  std::string asked_as;
};

struct NativeFields {
  // safetySettings, cachedContent and the like.
  std::vector<NativeField> top;
  // Members of generationConfig, without thinkingConfig.
  std::vector<NativeField> generation;
  // A thinkingConfig, and the name it had in the request; empty for none.
  std::string thinking;
  std::string thinking_name;
  // A toolConfig of which the function calling mode is not taken.
  std::string tool_config;

  const std::string* Generation(std::string_view name) const;
};

// Of the request's unmodelled members (JSON text). What is nobody's or another
// vendor's is named as dropped, and so is the first of two spellings.
NativeFields ReadNativeFields(std::string_view extra_json, Rendering& to);

// "safety_settings" as "safetySettings".
std::string CamelCase(std::string_view name);

struct NativeMember {
  std::string name;  // as Gemini spells it
  JsonValue value;
};

// The members of an object, each once: of two spellings of one the last
// counts, since the first may be a client's default, and the first is named
// as dropped. `full` is what the object is called in the request.
std::vector<NativeMember> ReadMembers(JsonValue object, std::string_view full,
                                      Rendering& to);

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_NATIVE_FIELDS_H_
