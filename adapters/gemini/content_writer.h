// The conversation as `contents` and `systemInstruction`.
//
// Every system and developer message, wherever it stands, goes to the system
// instruction, in order; models without one (Gemma) are told in front of the
// first user text. Neighbours of one role are one content. A model's turn with
// calls is followed by one user content that begins with their results. What
// is empty is left out, since it would be refused; a user's turn that Google
// needs and nobody filled is made up, and named as dropped.
//
// The third generation wants a signature on the first call of each step of
// the current turn; where there is none, Google's stand-in is put there.
//
// Threads:   Not safe; one object per request.
// Ownership: Everything given to the constructor outlives the writer.
// Fact:      gemini.md sections 2.1 and 4 (2026-11-20).
#ifndef LLM_ADAPTERS_GEMINI_CONTENT_WRITER_H_
#define LLM_ADAPTERS_GEMINI_CONTENT_WRITER_H_

#include <string>
#include <vector>

#include "adapters/gemini/part_writer.h"
#include "adapters/gemini/rendering.h"
#include "adapters/gemini/tool_results.h"
#include "llm/v1/chat.pb.h"

namespace llm::gemini {

class ContentWriter {
 public:
  // `instruction` is one more, after the caller's own; empty for none.
  ContentWriter(const v1::ChatCompletionRequest& request,
                std::string instruction, Rendering& to);

  // A JSON array.
  std::string Contents() const;
  // A JSON object; empty for none.
  std::string SystemInstruction() const;
  // Every function that the history calls.
  std::vector<std::string> CalledNames() const {
    return results_.CalledNames();
  }

 private:
  struct Turn {
    bool model = false;
    // Holds results of calls.
    bool results = false;
    std::vector<WrittenPart> parts;
    std::vector<const CallSlot*> calls;
  };

  void Read(const v1::ChatCompletionRequest& request);
  void ReadSystem(const v1::Message& message);
  void ReadSpoken(const v1::Message& message, int at);
  void NameBeside(const v1::Message& message);
  void Answer();
  void Add(bool model, WrittenPart part);
  void Instruct(const v1::ChatCompletionRequest& request);
  void SpeakForUser();
  void SignSteps();

  Rendering& to_;
  PartWriter parts_;
  ToolResults results_;
  std::vector<std::string> system_;
  std::vector<Turn> turns_;
  bool system_apart_ = false;
  // A user said nothing: before anybody spoke, and since anybody did.
  bool silent_start_ = false;
  bool silent_end_ = false;
};

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_CONTENT_WRITER_H_
