// A chat request as it crosses the doors: the canonical message, and beside
// it the source text it was made from.
//
// Source spans let a dialect that renders to the same wire form copy a
// message, tool or schema byte for byte instead of writing it anew: provider
// prompt caches keep hitting, number text survives, and it is fast. A span is
// only an alternative spelling; without spans everything renders from the
// message.
//
// Threads:   Immutable once made; one request lives on one loop.
// Ownership: Spans point into `source.text`, which the source owns.
#ifndef LLM_ADAPTERS_CORE_CHAT_REQUEST_H_
#define LLM_ADAPTERS_CORE_CHAT_REQUEST_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "llm/v1/chat.pb.h"

namespace llm {

// A stretch of RequestSource::text. Empty: no source, render anew.
struct SourceSpan {
  uint32_t begin = 0;
  uint32_t end = 0;
  bool empty() const { return begin == end; }
};

struct RequestSource {
  // The dialect of `text`: "openai", or empty for none (gRPC).
  std::string dialect;
  std::shared_ptr<const std::string> text;
  // Parallel to request.messages and request.tools; may be empty vectors.
  std::vector<SourceSpan> messages;
  std::vector<SourceSpan> tools;
  // Top-level members other than messages and tools: the decoded name, and
  // the span of the value. In source order.
  std::vector<std::pair<std::string, SourceSpan>> members;

  std::string_view View(SourceSpan span) const {
    return text == nullptr ? std::string_view()
                           : std::string_view(*text).substr(
                                 span.begin, span.end - span.begin);
  }
  // The last top-level member of that name; empty if there is none.
  std::string_view Member(std::string_view name) const {
    for (auto it = members.rbegin(); it != members.rend(); ++it) {
      if (it->first == name) return View(it->second);
    }
    return {};
  }
};

// Invariant past the doors: every message is normalised, that is, all its
// content is in `parts` and the flat view fields are clear (see chat.proto);
// only role, name, tool_call_id, parts, annotations,
// function_call, audio and extra_json are set.
struct ChatRequest {
  v1::ChatCompletionRequest message;
  RequestSource source;
  // Messages into which the router put back what their client had dropped:
  // reasoning, signatures, opaque parts. Parallel to message.messages; empty
  // where there are none. A source span still says what the client sent.
  std::vector<bool> restored = {};

  bool IsRestored(int message_index) const {
    return static_cast<size_t>(message_index) < restored.size() &&
           restored[static_cast<size_t>(message_index)];
  }
  // Room for what is made of it in bytes: a body that grows to a megabyte is
  // copied once more on its way, and kept with what doubling leaves unused
  // until the answer has ended. 0: not known.
  size_t LikelyBodyBytes() const {
    constexpr size_t kAdditions = 256;
    return source.text == nullptr ? 0 : source.text->size() + kAdditions;
  }
};

}  // namespace llm

#endif  // LLM_ADAPTERS_CORE_CHAT_REQUEST_H_
