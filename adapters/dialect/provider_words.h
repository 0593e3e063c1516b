// What a provider says beside its answer: codes, ids, names, the usage object.
//
// All of it is recorded or shown, and a provider may quote there what it was
// sent. So only words are kept, never sentences, and the attempt's own key is
// hidden wherever it appears outside the content [SEC-5, SEC-10]. The content
// itself is passed on unread.
//
// Threads: Pure; a sink belongs to its attempt's loop.
#ifndef LLM_ADAPTERS_DIALECT_PROVIDER_WORDS_H_
#define LLM_ADAPTERS_DIALECT_PROVIDER_WORDS_H_

#include <string>
#include <string_view>

#include "adapters/core/json.h"
#include "adapters/core/provider.h"

namespace llm {

// `text` if it is one word of at most `limit` visible ASCII characters without
// quotes and backslashes, else nothing.
std::string OneWord(std::string_view text, size_t limit);

// The usage object for audits: as it came where it holds numbers, switches and
// single words; without the members that hold more. Empty beyond 4 KiB.
std::string AuditedUsage(JsonValue usage);

// In every text of the result that is recorded or shown.
void HideKey(const ApiKey& key, AttemptResult* result);

// Passes chunks on without the key in what stands beside the content.
class KeyHidingSink : public EventSink {
 public:
  // Both outlive the sink.
  KeyHidingSink(const ApiKey& key, EventSink& sink) : key_(key), sink_(sink) {}
  Task<absl::Status> Write(v1::ChatCompletionChunk&& chunk) override;

 private:
  void HideBeside(v1::ChatCompletionChunk* chunk) const;

  const ApiKey& key_;
  EventSink& sink_;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_DIALECT_PROVIDER_WORDS_H_
