#include "adapters/gemini/finish_reason.h"

namespace llm::gemini {
namespace {

struct FinishRow {
  std::string_view word;
  FinishMeaning meaning;
};

constexpr FinishRow kFinishRows[] = {
    {"MAX_TOKENS", {"length"}},
    {"SAFETY", {"content_filter"}},
    {"RECITATION", {"content_filter"}},
    {"BLOCKLIST", {"content_filter"}},
    {"PROHIBITED_CONTENT", {"content_filter"}},
    {"SPII", {"content_filter"}},
    {"IMAGE_SAFETY", {"content_filter"}},
    {"IMAGE_PROHIBITED_CONTENT", {"content_filter"}},
    {"IMAGE_RECITATION", {"content_filter"}},
    {"MODEL_ARMOR", {"content_filter"}},
    {"MALFORMED_FUNCTION_CALL", {"stop", true}},
    {"UNEXPECTED_TOOL_CALL", {"stop", true}},
    {"TOO_MANY_TOOL_CALLS", {"stop", true}},
    {"MISSING_THOUGHT_SIGNATURE", {"stop", true}},
    {"MALFORMED_RESPONSE", {"stop", true}},
};

}  // namespace

FinishMeaning MeaningOfFinish(std::string_view word) {
  for (const FinishRow& row : kFinishRows) {
    if (row.word == word) return row.meaning;
  }
  return {};
}

}  // namespace llm::gemini
