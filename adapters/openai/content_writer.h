// The `content` of one message: a string where that says it all, otherwise an
// array of content parts (openai.md section 3, 2026-08-21).
//
// Threads:   Not safe; one object per message.
// Ownership: Everything given to the constructor outlives the writer.
#ifndef LLM_ADAPTERS_OPENAI_CONTENT_WRITER_H_
#define LLM_ADAPTERS_OPENAI_CONTENT_WRITER_H_

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/core/json.h"
#include "adapters/dialect/dropped_fields.h"
#include "adapters/openai/profiles.h"
#include "llm/v1/chat.pb.h"

namespace llm::openai {

class ContentWriter {
 public:
  ContentWriter(const Profile& profile, DroppedFields& dropped, JsonWriter& out)
      : profile_(profile), dropped_(dropped), out_(out) {}

  // One JSON value. `prefix` stands before the text; `may_be_null`: without
  // parts the message is complete anyway.
  void Write(const std::vector<const v1::Part*>& parts, std::string_view prefix,
             bool may_be_null);

 private:
  void WritePart(const v1::Part& part, std::string_view prefix);
  void WriteMedia(const v1::Part& part);
  void WriteUrlMedia(std::string_view type, const v1::MediaPart& media);
  void WriteAudio(const v1::MediaPart& media);
  void WriteFile(const v1::MediaPart& media);
  void WriteDocument(const v1::MediaPart& media);

  const Profile& profile_;
  DroppedFields& dropped_;
  JsonWriter& out_;
};

// Text and media parts, which content can hold.
bool IsContent(const v1::Part& part);

// What a model said is one text, wherever a part that is not for this provider
// stood in it. `joined` owns the new texts.
void JoinSaid(std::vector<const v1::Part*>* parts,
              std::deque<v1::Part>* joined);
// An opaque value that is a content part, not a member of the message.
bool IsContentPart(std::string_view json);
// Adds the elements of the array `name` in the object `json` to a list.
void AppendListMember(std::string_view json, std::string_view name,
                      std::string* list);

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_CONTENT_WRITER_H_
