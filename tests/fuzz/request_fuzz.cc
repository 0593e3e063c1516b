// A chat request is refused, or it means the same after it went through us:
// what the plain dialect renders parses again to the same request, and every
// vendor's rendering is JSON.
#include <google/protobuf/util/message_differencer.h>

#include <memory>

#include "adapters/core/json.h"
#include "adapters/openai/openai_request.h"
#include "server/core/message_view.h"
#include "server/core/request_check.h"
#include "server/http/parse_chat_request.h"
#include "tests/fuzz/fuzz_check.h"

namespace llm {
namespace {

using google::protobuf::util::MessageDifferencer;

absl::StatusOr<ChatRequest> Parse(std::string_view text) {
  return server::ParseChatRequest(std::make_shared<const std::string>(text));
}

std::string Render(ChatRequest request, const openai::Profile& profile) {
#ifdef LLM_FUZZ_PLANTED
  // Loses the last of several stop sequences.
  if (request.message.stop_size() >= 2) {
    request.message.mutable_stop()->RemoveLast();
    std::erase_if(request.source.members,
                  [](const auto& member) { return member.first == "stop"; });
  }
#endif
  AttemptContext context;
  context.provider.value = "openai";
  context.upstream_model.value = request.message.model();
  return openai::RenderRequest(request, context, profile).body;
}

// Without what is ours alone, or is asked for by us.
v1::ChatCompletionRequest Comparable(v1::ChatCompletionRequest message) {
  message.clear_task_type();
  message.clear_run_id();
  message.clear_agent();
  message.clear_stream_options();
  message.clear_extra_json();
  // Recorded here, and no business of an unknown server's.
  message.clear_metadata();
  message.clear_user();
  message.clear_priority();
  message.clear_strict();
  message.clear_timeout();
  if (message.has_max_completion_tokens()) message.clear_max_tokens();
  // Says nothing without tools, and is left out.
  if (message.tools().empty()) message.clear_parallel_tool_calls();
  return message;
}

void CheckSameAgain(const ChatRequest& request) {
  const openai::Profile& plain = openai::FindProfile("");
  const std::string copied = Render(request, plain);
  const absl::StatusOr<ChatRequest> again = Parse(copied);
  fuzz::Check(again.ok(), "what was copied is accepted again");
  fuzz::Check(MessageDifferencer::Equals(Comparable(request.message),
                                         Comparable(again->message)),
              "what was copied means the same");
  // As a request that came through gRPC: nothing to copy from.
  ChatRequest typed{request.message, {}};
  // gRPC is stricter about shapes: that difference is meant.
  if (!server::CheckRequest(typed.message).ok()) return;
  if (!server::NormaliseMessages(&typed.message).ok()) return;
  const std::string written = Render(typed, plain);
  absl::StatusOr<ChatRequest> reread = Parse(written);
  fuzz::Check(reread.ok(), "what was written is accepted");
  reread->source = {};
  fuzz::Check(Render(*reread, plain) == written, "writing has a fixed point");
}

}  // namespace
}  // namespace llm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  llm::fuzz::Input input(data, size);
  const size_t vendor = input.Byte();
  const auto request = llm::Parse(input.rest());
  if (!request.ok()) return 0;
  llm::CheckSameAgain(*request);
  const auto profiles = llm::openai::AllProfiles();
  const std::string body =
      llm::Render(*request, profiles[vendor % profiles.size()]);
  llm::fuzz::Check(llm::JsonDocument::Parse(body).ok(), "JSON for a vendor");
  return 0;
}
