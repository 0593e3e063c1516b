// The conversation as one vendor takes it: `messages` of a request.
//
// A message whose source text the vendor takes as it is is copied byte for
// byte, so that its prompt cache keeps hitting [TRN-7]; any other is written
// from its parts, which means the same.
//
// Threads:   Not safe; one object per request.
// Ownership: Everything given to the constructor outlives the writer.
#ifndef LLM_ADAPTERS_OPENAI_MESSAGE_WRITER_H_
#define LLM_ADAPTERS_OPENAI_MESSAGE_WRITER_H_

#include <map>
#include <string>
#include <string_view>

#include "adapters/core/chat_request.h"
#include "adapters/core/json.h"
#include "adapters/dialect/dropped_fields.h"
#include "adapters/openai/profiles.h"

namespace llm::openai {

class MessageWriter {
 public:
  struct Setting {
    const Profile& profile;
    // The provider's id: opaque parts of that origin are its own.
    std::string_view provider;
    // Of the model, as the request is sent.
    ReasoningReplay replay;
  };
  MessageWriter(Setting setting, DroppedFields& dropped, JsonWriter& out)
      : setting_(setting), dropped_(dropped), out_(out) {}

  // Every message of the request, as array elements.
  void WriteAll(const ChatRequest& request);

 private:
  // Whether all but the reasoning may go as the caller spelt it.
  bool MayCopy(const v1::Message& message, std::string_view source) const;
  void WriteOrCopy(const v1::Message& message, std::string_view source);
  bool NeedsReasoningChange(const v1::Message& message) const;
  bool HasForeignPart(const v1::Message& message) const;
  bool HasOwnDetails(const v1::Message& message) const;
  void Write(const v1::Message& message);
  void WriteName(const v1::Message& message);
  // What only OpenAI's own messages have.
  void WriteOddMembers(const v1::Message& message);
  void WriteContent(const v1::Message& message);
  void WriteReasoning(const v1::Message& message);
  void WriteToolCalls(const v1::Message& message);
  void WriteToolCall(const v1::ToolCall& call);
  void WriteExtra(const v1::Message& message);
  bool Ours(const v1::OpaquePart& part) const;
  std::string CallId(const std::string& id) const;
  // A server of unknown ways gets what the caller sent, and no more.
  bool AsSent() const {
    return restored_ && setting_.replay == ReasoningReplay::kForward;
  }
  // The names of what the caller sent; what was put back is not theirs.
  void NameDropped(std::string_view name) {
    if (!restored_) dropped_.Add(name);
  }

  const Setting setting_;
  DroppedFields& dropped_;
  JsonWriter& out_;
  // The message at hand holds what its client had dropped.
  bool restored_ = false;
  // The last message, where it is one that the model is to go on with.
  const v1::Message* prefill_ = nullptr;
  // Function names by call id, as the caller wrote it.
  std::map<std::string, std::string> call_names_;
};

// Nine letters and digits that stand for `id`, always the same.
std::string ShortCallId(std::string_view id);

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_MESSAGE_WRITER_H_
