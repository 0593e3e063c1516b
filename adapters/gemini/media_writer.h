// Pictures, sound, films and files as Gemini's parts.
//
// Nothing is ever fetched: content goes along as inlineData, and of addresses
// only those that Google itself serves are passed on (its Files API, YouTube,
// on Vertex gs://). Any other is refused.
//
// Threads: Pure but for the rendering they are given.
// Fact:    gemini.md section 2.1 (2026-11-20).
#ifndef LLM_ADAPTERS_GEMINI_MEDIA_WRITER_H_
#define LLM_ADAPTERS_GEMINI_MEDIA_WRITER_H_

#include <string>

#include "adapters/gemini/rendering.h"
#include "llm/v1/chat.pb.h"

namespace llm::gemini {

// "inlineData" or "fileData" as one member, `"inlineData":{…}`; empty where
// it is refused, which `to` says.
std::string MediaMember(const v1::MediaPart& media, Rendering& to);

// What a functionResponse of the third generation takes inside.
bool FitsToolResult(const v1::MediaPart& media);

}  // namespace llm::gemini

#endif  // LLM_ADAPTERS_GEMINI_MEDIA_WRITER_H_
