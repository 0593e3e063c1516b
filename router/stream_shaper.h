// The stream as the caller gets it, whatever the provider's looked like: our
// id, the public model, a role on the first chunk of each choice, one finish
// reason per choice on its last chunk, usage only if it was asked for.
//
// Finish chunks are held back until Finish: by then the usage is known and
// the rows are written.
//
// Threads:   The call's event loop; one Write at a time.
// Ownership: `out` outlives the shaper.
#ifndef LLM_ROUTER_STREAM_SHAPER_H_
#define LLM_ROUTER_STREAM_SHAPER_H_

#include <map>
#include <optional>
#include <string>

#include "adapters/core/task.h"
#include "router/merge_fragments.h"
#include "router/router.h"

namespace llm {

class StreamShaper {
 public:
  // `id` is "chatcmpl-…", `created` Unix seconds.
  StreamShaper(std::string id, int64_t created, bool include_usage,
               ChunkSink& out);

  // The public model of the attempt that won; before the first Write.
  void SetModel(std::string model) { model_ = std::move(model); }

  // `chunk` is made the caller's own and lives until the task ends.
  Task<absl::Status> Write(v1::ChatCompletionChunk&& chunk);
  // The held finish chunks, one for each choice that was begun (a choice the
  // provider never finished by name ends with "stop"), then the usage chunk
  // if asked for; `info` is on the last of them.
  Task<absl::Status> Finish(v1::ServiceInfo info,
                            std::optional<v1::Usage> usage);

 private:
  struct ChoiceState {
    bool role_sent = false;
    bool has_tool_call = false;
    v1::ChunkChoice finish;  // without delta
  };
  // What all chunks of this answer share.
  void SetFrame(v1::ChatCompletionChunk* chunk) const;
  v1::ChatCompletionChunk Frame() const;
  void Remember(const v1::ChatCompletionChunk& chunk);
  // Leaves in `choice` what may go out now; false if nothing may.
  bool KeepContent(v1::ChunkChoice& choice);
  static Task<absl::Status> Held();

  const std::string id_;
  const int64_t created_;
  const bool include_usage_;
  ChunkSink& out_;
  std::string model_;
  std::string service_tier_;
  std::string system_fingerprint_;
  Fragments held_extra_;
  std::map<int, ChoiceState> choices_;  // by index
};

}  // namespace llm

#endif  // LLM_ROUTER_STREAM_SHAPER_H_
