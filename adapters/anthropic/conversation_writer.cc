#include "adapters/anthropic/conversation_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/anthropic/citation_marks.h"
#include "adapters/anthropic/turn_order.h"
#include "adapters/core/text.h"

namespace llm::anthropic {
namespace {

using sv = std::string_view;
using Kind = Block::Kind;

// Members of our own doing or of another dialect's, of no use here:
// reasoning_details is where a client of the OpenAI door keeps signatures,
// which have become parts already.
constexpr sv kKnownElsewhere[] = {"reasoning_details"};
constexpr sv kResultExtra[] = {"is_error"};
constexpr sv kCallExtra[] = {"caller"};
constexpr sv kMissingResult = "No result was recorded for this call.";
constexpr sv kPlaceholder = "(The conversation begins with your own words.)";

bool IsSystem(const v1::Message& message) {
  return message.role() == "system" || message.role() == "developer";
}

Block TextBlock(sv text) {
  Block block;
  JsonWriter json(&block.json);
  json.BeginObject();
  json.Member("type", "text");
  json.Member("text", text);
  json.EndObject();
  return block;
}

}  // namespace

// Where nothing was said between two turns of one role, they are one.
void ConversationWriter::AddTurn(Turn turn) {
  if (out_.turns.empty() || out_.turns.back().role != turn.role) {
    out_.turns.push_back(std::move(turn));
    return;
  }
  std::vector<Block>& blocks = out_.turns.back().blocks;
  std::move(turn.blocks.begin(), turn.blocks.end(), std::back_inserter(blocks));
}

void ConversationWriter::AddMessageExtra(const v1::Message& message,
                                         size_t first,
                                         std::vector<Block>* blocks) {
  if (message.extra_json().empty()) return;
  std::string ignored;
  JsonWriter nowhere(&ignored);
  std::string cache;
  content_.AddExtra(message.extra_json(), kKnownElsewhere, "messages", &nowhere,
                    &cache);
  if (cache.empty()) return;
  // On the message means on its last block that takes it.
  for (size_t i = blocks->size(); i > first; --i) {
    Block& block = (*blocks)[i - 1];
    if (block.kind == Kind::kThinking || block.marks_inside > 0) continue;
    if (block.cache_control.empty()) block.cache_control = std::move(cache);
    return;
  }
  notes_.dropped.Add("messages.cache_control");
}

void ConversationWriter::AddSystem(const v1::Message& message,
                                   std::vector<Block>* out) {
  const size_t first = out->size();
  for (const v1::Part& part : message.parts()) {
    if (part.has_media()) {
      notes_.Refuse("messages.content",
                    "Claude's system prompt is text; no media");
    }
    content_.Add(part, out);
  }
  AddMessageExtra(message, first, out);
}

// Without its proof reasoning means nothing here; it is left out, as plain
// reasoning is everywhere. True where a block was written.
bool ConversationWriter::AddReasoning(const v1::ReasoningPart& part,
                                      std::string* pending,
                                      std::vector<Block>* out) {
  const bool ours =
      part.origin() == kOrigin &&
      (part.origin_model().empty() || part.origin_model() == setting_.model);
  const bool redacted = !part.redacted_data().empty();
  if (!redacted && part.signature().empty()) {
    *pending += part.text();
    return false;
  }
  const std::string text = std::exchange(*pending, {}) + part.text();
  if (!ours) {
    if (redacted) NameProof("messages.reasoning");
    return false;
  }
  Block block;
  block.kind = Kind::kThinking;
  JsonWriter json(&block.json);
  json.BeginObject();
  if (redacted) {
    json.Member("type", "redacted_thinking");
    json.Member("data", part.redacted_data());
  } else {
    json.Member("type", "thinking");
    json.Member("thinking", text);
    json.Member("signature", part.signature());
  }
  json.EndObject();
  out->push_back(std::move(block));
  return true;
}

void ConversationWriter::AddCall(const v1::ToolCall& call,
                                 std::vector<Block>* out) {
  if (call.type() == "custom" || call.has_custom()) {
    return notes_.Refuse("messages.tool_calls",
                         "Claude has no custom (free text) tools");
  }
  const std::string& name = call.function().name();
  calls_.push_back({call.id(), ids_.ForCall(call.id())});
  if (std::find(out_.called_tools.begin(), out_.called_tools.end(), name) ==
      out_.called_tools.end()) {
    out_.called_tools.push_back(name);
  }
  const auto input = JsonDocument::Parse(call.function().arguments());
  Block block;
  block.kind = Kind::kToolUse;
  JsonWriter json(&block.json);
  json.BeginObject();
  json.Member("type", "tool_use");
  json.Member("id", calls_.back().written);
  json.Member("name", names_.Sent(name));
  // An object is required; what is none cannot have run either.
  const bool object = input.ok() && input->root().is_object();
  json.MemberRaw("input", object ? input->root().raw() : sv("{}"));
  if (!object && !IsBlank(call.function().arguments())) {
    notes_.dropped.Add("messages.tool_calls.function.arguments");
  }
  content_.AddExtra(call.extra_json(), kCallExtra, "messages.tool_calls", &json,
                    &block.cache_control);
  json.EndObject();
  out->push_back(std::move(block));
  if (!call.signature().empty()) {
    NameProof("messages.tool_calls.signature");
  }
}

void ConversationWriter::AddAssistantParts(const v1::Message& message,
                                           std::vector<Block>* out) {
  std::string pending;
  std::string blank;
  CitationMarks marks;
  bool text_seen = false;
  for (const v1::Part& part : message.parts()) {
    if (part.has_reasoning()) {
      if (AddReasoning(part.reasoning(), &pending, out)) blank.clear();
      continue;
    }
    pending.clear();
    const size_t blocks = out->size();
    const bool ours = part.has_opaque() && part.opaque().origin() == kOrigin;
    if (part.has_tool_call()) {
      AddCall(part.tool_call(), out);
    } else if (part.has_media()) {
      // Generated pictures are not for Claude's own turn.
      notes_.dropped.Add("messages.content");
    } else if (ours && !text_seen && marks.Add(part.opaque().json())) {
      // Its text is yet to come.
    } else if (part.has_text() && !marks.empty()) {
      for (const v1::Part& piece : marks.Split(part)) {
        content_.AddSaid(piece, &blank, out);
      }
    } else if (part.has_text()) {
      content_.AddSaid(part, &blank, out);
    } else if (!put_back_ || !part.has_opaque() || ours) {
      content_.Add(part, out);
    }
    // Between a text and what is none it says nothing.
    if (!part.has_text() && out->size() > blocks) blank.clear();
    text_seen = text_seen || part.has_text();
  }
  if (!marks.empty()) NameProof("messages.content");
}

bool ConversationWriter::IsRestored(const v1::Message* message) const {
  return std::find(restored_.begin(), restored_.end(), message) !=
         restored_.end();
}

void ConversationWriter::AddAssistant(const Messages& run) {
  Turn turn{Turn::Role::kAssistant, {}};
  calls_.clear();
  for (const v1::Message* message : run) {
    const size_t first = turn.blocks.size();
    put_back_ = IsRestored(message);
    AddAssistantParts(*message, &turn.blocks);
    AddMessageExtra(*message, first, &turn.blocks);
    if (!message->name().empty()) notes_.dropped.Add("messages.name");
    if (!message->audio().empty()) notes_.dropped.Add("messages.audio");
    if (!message->function_call().empty()) {
      notes_.dropped.Add("messages.function_call");
    }
    put_back_ = false;
  }
  PutCallsLast(&turn.blocks);
  if (run.size() > 1 && OnlyPlainKinds(turn.blocks)) {
    PutThinkingFirst(&turn.blocks);
  }
  // Thinking alone is no message.
  const bool says = std::any_of(
      turn.blocks.begin(), turn.blocks.end(),
      [](const Block& block) { return block.kind != Kind::kThinking; });
  if (says) AddTurn(std::move(turn));
}

void ConversationWriter::MatchResults(const Messages& run) {
  for (const v1::Message* message : run) {
    if (message->role() != "tool") continue;
    const auto call =
        std::find_if(calls_.begin(), calls_.end(), [&](const Call& c) {
          return c.result == nullptr && c.id == message->tool_call_id();
        });
    if (call == calls_.end()) {
      notes_.Refuse("messages.tool_call_id",
                    "a tool message answers no call of the assistant message"
                    " before it");
      return;
    }
    call->result = message;
  }
}

// Text alone is a string; a list is the block's, so that its marks count.
void ConversationWriter::WriteResultContent(const v1::Message& message,
                                            JsonWriter* out, Block* block) {
  std::vector<Block> blocks;
  for (const v1::Part& part : message.parts()) content_.Add(part, &blocks);
  const bool plain = blocks.size() == 1 && message.parts_size() == 1 &&
                     message.parts(0).has_text() &&
                     message.parts(0).extra_json().empty();
  if (plain) return out->Member("content", message.parts(0).text().text());
  block->content = std::move(blocks);
}

Block ConversationWriter::ResultBlock(const Call& call) {
  Block block;
  block.kind = Kind::kResult;
  JsonWriter json(&block.json);
  json.BeginObject();
  json.Member("type", "tool_result");
  json.Member("tool_use_id", call.written);
  if (call.result == nullptr) {
    json.Member("content", kMissingResult);
    json.Key("is_error");
    json.Bool(true);
    notes_.dropped.Add("messages.tool_calls.result");
  } else {
    WriteResultContent(*call.result, &json, &block);
    content_.AddExtra(call.result->extra_json(), kResultExtra, "messages",
                      &json, &block.cache_control);
  }
  json.EndObject();
  return block;
}

// Where the caller asked for the beta, system text is a turn of its own
// behind the user's; else it is user text that says what it is.
void ConversationWriter::AddMidSystem(const Messages& run,
                                      std::vector<Block>* user) {
  Turn turn{Turn::Role::kSystem, {}};
  for (const v1::Message* message : run) {
    if (IsSystem(*message)) AddSystem(*message, &turn.blocks);
  }
  if (turn.blocks.empty()) {
    if (!user->empty()) AddTurn({Turn::Role::kUser, std::move(*user)});
    return;
  }
  if (user->empty()) {
    notes_.dropped.Add("messages.role");
    user->push_back(TextBlock(kPlaceholder));
  }
  AddTurn({Turn::Role::kUser, std::move(*user)});
  AddTurn(std::move(turn));
}

void ConversationWriter::AddUser(const Messages& run) {
  MatchResults(run);
  std::vector<Block> blocks;
  for (const Call& call : calls_) blocks.push_back(ResultBlock(call));
  calls_.clear();
  for (const v1::Message* message : run) {
    if (message->role() == "tool") continue;
    if (message->role() == "function") {
      notes_.Refuse("messages.role",
                    "function messages are not taken;"
                    " use tools");
    }
    const size_t first = blocks.size();
    if (!IsSystem(*message)) {
      for (const v1::Part& part : message->parts()) content_.Add(part, &blocks);
    } else if (!setting_.system_turns) {
      std::vector<Block> said;
      AddSystem(*message, &said);
      if (said.empty()) continue;
      notes_.dropped.Add("messages.system");
      blocks.push_back(TextBlock("<system>"));
      std::move(said.begin(), said.end(), std::back_inserter(blocks));
      blocks.push_back(TextBlock("</system>"));
      continue;
    }
    if (!IsSystem(*message)) AddMessageExtra(*message, first, &blocks);
    if (!message->name().empty()) notes_.dropped.Add("messages.name");
  }
  if (setting_.system_turns) return AddMidSystem(run, &blocks);
  if (!blocks.empty()) AddTurn({Turn::Role::kUser, std::move(blocks)});
}

void ConversationWriter::CheckEnds() {
  const bool starts_well =
      !out_.turns.empty() && out_.turns.front().role == Turn::Role::kUser;
  if (!starts_well) {
    notes_.dropped.Add("messages.role");
    out_.turns.insert(out_.turns.begin(),
                      {Turn::Role::kUser, {TextBlock(kPlaceholder)}});
  }
  Turn& last = out_.turns.back();
  if (last.role != Turn::Role::kAssistant) return;
  // A paused turn of server tools goes on from where it is (stop reason
  // pause_turn); that is no prefill.
  const bool paused = !OnlyPlainKinds(last.blocks);
  out_.prefill = !paused;
  if (!setting_.prefill && !paused) {
    notes_.Refuse("messages",
                  "this model takes no assistant message at the end");
  }
  TrimLastText(&last.blocks.back());
}

void ConversationWriter::NoteLoop() {
  const std::vector<Turn>& turns = out_.turns;
  for (size_t i = turns.size(); i > 0; --i) {
    const Turn& turn = turns[i - 1];
    if (turn.role == Turn::Role::kUser) {
      const bool results =
          !turn.blocks.empty() && turn.blocks.front().kind == Kind::kResult;
      if (!results) return;
      out_.in_tool_loop = true;
    }
    if (turn.role == Turn::Role::kAssistant) {
      // The loop's first turn is looked at last.
      out_.loop_has_thinking =
          !turn.blocks.empty() && turn.blocks.front().kind == Kind::kThinking;
    }
  }
}

Conversation ConversationWriter::Write(const ChatRequest& chat) {
  const v1::ChatCompletionRequest& request = chat.message;
  int at = 0;
  const int count = request.messages_size();
  for (int i = 0; i < count; ++i) {
    if (chat.IsRestored(i)) restored_.push_back(&request.messages(i));
  }
  while (at < count && IsSystem(request.messages(at))) {
    AddSystem(request.messages(at++), &out_.system);
  }
  while (at < count) {
    const bool assistant = request.messages(at).role() == "assistant";
    Messages run;
    while (at < count &&
           (request.messages(at).role() == "assistant") == assistant) {
      run.push_back(&request.messages(at++));
    }
    if (assistant) {
      AddAssistant(run);
    } else {
      AddUser(run);
    }
  }
  // The last word were calls: without results they are refused.
  if (!calls_.empty()) AddUser({});
  CheckEnds();
  NoteLoop();
  return std::move(out_);
}

}  // namespace llm::anthropic
