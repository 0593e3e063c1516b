#include "server/core/message_view.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/core/status_macros.h"
#include "router/call_error.h"

namespace llm::server {
namespace {

constexpr std::array<std::string_view, 6> kRoles = {
    "system", "developer", "user", "assistant", "tool", "function"};

bool IsRole(std::string_view role) {
  for (const std::string_view known : kRoles) {
    if (role == known) return true;
  }
  return false;
}

void ClearFlat(v1::Message* message) {
  message->clear_content();
  message->clear_tool_calls();
  message->clear_refusal();
  message->clear_reasoning_content();
}

// Presence is content: an empty text is a part, an absent one is none.
void MoveFlatIntoParts(v1::Message* message) {
  if (message->has_reasoning_content()) {
    *message->add_parts()->mutable_reasoning()->mutable_text() =
        std::move(*message->mutable_reasoning_content());
  }
  if (message->has_content()) {
    *message->add_parts()->mutable_text()->mutable_text() =
        std::move(*message->mutable_content());
  }
  if (message->has_refusal()) {
    *message->add_parts()->mutable_refusal()->mutable_text() =
        std::move(*message->mutable_refusal());
  }
  for (v1::ToolCall& call : *message->mutable_tool_calls()) {
    *message->add_parts()->mutable_tool_call() = std::move(call);
  }
}

absl::Status CheckToolCall(const v1::ToolCall& call, const std::string& path) {
  if (call.has_function() == call.has_custom()) {
    return RefuseField(path,
                       "a tool call needs exactly one of function, custom");
  }
  if (call.has_function() ? call.function().name().empty()
                          : call.custom().name().empty()) {
    return RefuseField(path, "a tool call needs the name of its tool");
  }
  return absl::OkStatus();
}

absl::Status CheckPart(const v1::Part& part, const std::string& path) {
  switch (part.kind_case()) {
    case v1::Part::KIND_NOT_SET:
      return RefuseField(path, "the part is empty");
    case v1::Part::kMedia:
      if (part.media().kind() == v1::MediaPart::KIND_UNSPECIFIED) {
        return RefuseField(absl::StrCat(path, ".media.kind"),
                           "say what kind of media this is");
      }
      if (part.media().source_case() == v1::MediaPart::SOURCE_NOT_SET) {
        return RefuseField(absl::StrCat(path, ".media"),
                           "media needs one of url, data, file_id");
      }
      return absl::OkStatus();
    case v1::Part::kToolCall:
      return CheckToolCall(part.tool_call(), path);
    default:
      return absl::OkStatus();
  }
}

absl::Status CheckParts(v1::Message* message, const std::string& path,
                        bool flat) {
  int calls = 0;
  for (int i = 0; i < message->parts_size(); ++i) {
    v1::Part* part = message->mutable_parts(i);
    const bool call = part->has_tool_call();
    LLM_RETURN_IF_ERROR(CheckPart(
        *part, call && flat ? absl::StrCat(path, ".tool_calls[", calls, "]")
                            : absl::StrCat(path, ".parts[", i, "]")));
    if (call) part->mutable_tool_call()->set_index(calls++);
  }
  return absl::OkStatus();
}

absl::Status NormaliseMessage(v1::Message* message, const std::string& path) {
  if (!IsRole(message->role())) {
    return RefuseField(
        absl::StrCat(path, ".role"),
        "role must be one of system, developer, user, assistant, "
        "tool, function");
  }
  if (message->role() == "tool" && message->tool_call_id().empty()) {
    return RefuseField(absl::StrCat(path, ".tool_call_id"),
                       "a tool result needs the id of the call it answers");
  }
  const bool flat = message->parts().empty();
  if (flat) MoveFlatIntoParts(message);
  ClearFlat(message);
  // An assistant may have called nothing and said nothing; what a prompt is
  // made of may not be left out.
  if (message->parts().empty() &&
      (message->role() == "user" || message->role() == "system" ||
       message->role() == "developer")) {
    return RefuseField(absl::StrCat(path, ".content"), "the message is empty");
  }
  return CheckParts(message, path, flat);
}

// Position of a part in the flat view's order; -1: the flat view would lose
// something of it.
int FlatRank(const v1::Part& part) {
  if (!part.extra_json().empty()) return -1;
  switch (part.kind_case()) {
    case v1::Part::kReasoning: {
      const v1::ReasoningPart& reasoning = part.reasoning();
      const bool plain = reasoning.signature().empty() &&
                         reasoning.redacted_data().empty() &&
                         reasoning.origin().empty() && !reasoning.summary();
      return plain ? 0 : -1;
    }
    case v1::Part::kText:
      return part.text().signature().empty() ? 1 : -1;
    case v1::Part::kRefusal:
      return 2;
    case v1::Part::kToolCall:
      return part.tool_call().signature().empty() ? 3 : -1;
    default:
      return -1;
  }
}

// `fragments`: parts of one kind may repeat, as they join anyway.
bool FlatLosesNothing(const v1::Message& message, bool fragments) {
  constexpr int kToolCalls = 3;
  int last = -1;
  int calls = 0;
  for (const v1::Part& part : message.parts()) {
    const int rank = FlatRank(part);
    if (rank < 0 || rank < last) return false;
    if (!fragments) {
      if (rank == last && rank != kToolCalls) return false;
      if (rank == kToolCalls && part.tool_call().index() != calls++) {
        return false;
      }
    }
    last = rank;
  }
  return true;
}

// Most messages and nearly all fragments have one text: then it is moved.
void Append(std::string* from, bool move, bool present, std::string* to) {
  if (move && !present) {
    *to = std::move(*from);
  } else {
    to->append(*from);
  }
}

void FillMessage(v1::Message* message, bool fragments) {
  if (message->parts().empty()) return;
  const bool move = FlatLosesNothing(*message, fragments);
  for (v1::Part& part : *message->mutable_parts()) {
    switch (part.kind_case()) {
      case v1::Part::kReasoning:
        Append(part.mutable_reasoning()->mutable_text(), move,
               message->has_reasoning_content(),
               message->mutable_reasoning_content());
        break;
      case v1::Part::kText:
        Append(part.mutable_text()->mutable_text(), move,
               message->has_content(), message->mutable_content());
        break;
      case v1::Part::kRefusal:
        Append(part.mutable_refusal()->mutable_text(), move,
               message->has_refusal(), message->mutable_refusal());
        break;
      case v1::Part::kToolCall:
        if (move) {
          *message->add_tool_calls() = std::move(*part.mutable_tool_call());
        } else {
          *message->add_tool_calls() = part.tool_call();
        }
        break;
      default:
        break;
    }
  }
  if (move) message->clear_parts();
}

}  // namespace

absl::Status NormaliseMessages(v1::ChatCompletionRequest* request) {
  if (request->messages().empty()) {
    return RefuseField("messages", "at least one message is needed");
  }
  for (int i = 0; i < request->messages_size(); ++i) {
    LLM_RETURN_IF_ERROR(NormaliseMessage(request->mutable_messages(i),
                                         absl::StrCat("messages[", i, "]")));
  }
  return absl::OkStatus();
}

void FillFlatView(v1::ChatCompletionResponse* response) {
  for (v1::Choice& choice : *response->mutable_choices()) {
    if (choice.has_message()) FillMessage(choice.mutable_message(), false);
  }
}

void FillFlatView(v1::ChatCompletionChunk* chunk) {
  for (v1::ChunkChoice& choice : *chunk->mutable_choices()) {
    if (choice.has_delta()) FillMessage(choice.mutable_delta(), true);
  }
}

}  // namespace llm::server
