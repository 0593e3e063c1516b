// A caller that keeps every chunk it reads.
#ifndef LLM_TESTS_SUPPORT_RECORDING_SINK_H_
#define LLM_TESTS_SUPPORT_RECORDING_SINK_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "router/router.h"

namespace llm {

class RecordingSink : public ChunkSink {
 public:
  void OnCommit(const v1::ServiceInfo& info) override { known = info; }
  Task<absl::Status> Write(v1::ChatCompletionChunk&& chunk) override {
    if (on_write) on_write(chunk);
    if (!answer.ok()) co_return answer;
    chunks.push_back(std::move(chunk));
    co_return absl::OkStatus();
  }
  // All text of choice 0, joined.
  std::string Text() const {
    std::string text;
    for (const auto& chunk : chunks) {
      for (const auto& choice : chunk.choices()) {
        for (const auto& part : choice.delta().parts()) {
          if (choice.index() == 0) text += part.text().text();
        }
      }
    }
    return text;
  }

  std::vector<v1::ChatCompletionChunk> chunks;
  // What was known before the first content.
  v1::ServiceInfo known;
  // What Write says; set to an error for a caller who is gone.
  absl::Status answer;
  // Called before a chunk is kept.
  std::function<void(const v1::ChatCompletionChunk&)> on_write;
};

}  // namespace llm

#endif  // LLM_TESTS_SUPPORT_RECORDING_SINK_H_
