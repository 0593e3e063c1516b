// What sets one OpenAI-compatible vendor apart when embeddings are asked for:
// one row per vendor, as profiles.h has for chats.
//
// Threads: Constant data.
#ifndef LLM_ADAPTERS_OPENAI_EMBED_RULES_H_
#define LLM_ADAPTERS_OPENAI_EMBED_RULES_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace llm::openai {

// How a vendor is asked to spell vectors.
enum class VectorFormat {
  kUnsaid,  // no encoding_format is sent: numbers come
  kFloat,   // "float": nothing else is taken
  kBase64,  // "base64": exact, and a quarter of the bytes
};

// Defaults are any server of which nothing is known.
struct EmbedRules {
  // Profile of the vendor; empty: the plain dialect.
  std::string_view profile = {};
  // Upstream models that the row is for; '*' stands for any run.
  std::string_view models = "*";
  // Inputs of one request. Of servers without a known limit it bounds what
  // one answer takes in memory and holds the loop up.
  size_t max_inputs = 64;
  // Tokens of one request, all inputs together; 0: no limit known.
  int64_t max_tokens = 0;
  VectorFormat format = VectorFormat::kUnsaid;
  // Takes lists of token numbers as inputs.
  bool token_inputs = true;
  // The name of `dimensions`.
  std::string_view dimensions = "dimensions";
  bool user = true;
  // Fields beyond OpenAI's are refused there, so they are not sent.
  bool extra_fields = true;
  std::string_view page = {};
  std::string_view date = {};
};

// The first row that fits.
const EmbedRules& EmbedRulesFor(std::string_view profile,
                                std::string_view upstream_model);

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_EMBED_RULES_H_
