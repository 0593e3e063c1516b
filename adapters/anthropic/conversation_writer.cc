#include "adapters/anthropic/conversation_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/anthropic/citation_marks.h"
#include "adapters/core/text.h"

namespace llm::anthropic {
namespace {

using sv = std::string_view;
using Kind = Block::Kind;

// Members of our own doing or of another dialect's, of no use here:
// reasoning_details is where a client of the OpenAI door keeps signatures,
// which have become parts already.
constexpr sv kKnownElsewhere[] = {"reasoning_details"};
constexpr sv kCallExtra[] = {"caller"};
constexpr sv kPlaceholder = "(The conversation begins with your own words.)";
constexpr sv kEmptied = "(This message was empty.)";

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

void Append(std::vector<Block> more, std::vector<Block>* to) {
  std::move(more.begin(), more.end(), std::back_inserter(*to));
}

}  // namespace

void ConversationWriter::AddMessageExtra(const v1::Message& message,
                                         std::vector<Block>* said) {
  if (message.extra_json().empty()) return;
  std::string ignored;
  JsonWriter nowhere(&ignored);
  std::string cache;
  content_.AddExtra(message.extra_json(), kKnownElsewhere, "messages", &nowhere,
                    &cache);
  if (cache.empty()) return;
  // On the message means on its last block that takes it.
  for (size_t i = said->size(); i > 0; --i) {
    Block& block = (*said)[i - 1];
    if (block.kind == Kind::kThinking || block.marks_inside > 0) continue;
    if (block.cache_control.empty()) block.cache_control = std::move(cache);
    return;
  }
  notes_.dropped.Add("messages.cache_control");
}

std::vector<Block> ConversationWriter::ReadSystem(const v1::Message& message) {
  std::vector<Block> said;
  for (const v1::Part& part : message.parts()) {
    if (part.has_media()) {
      notes_.Refuse("messages.content",
                    "Claude's system prompt is text; no media");
    }
    content_.Add(part, &said);
  }
  AddMessageExtra(message, &said);
  if (!message.name().empty()) notes_.dropped.Add("messages.name");
  return said;
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
    if (redacted) notes_.NameProof("messages.reasoning");
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
  const std::string id = results_.AddCall(call.id());
  if (called_.insert(name).second) out_.called_tools.push_back(name);
  const auto input = JsonDocument::Parse(call.function().arguments());
  Block block;
  block.kind = Kind::kToolUse;
  JsonWriter json(&block.json);
  json.BeginObject();
  json.Member("type", "tool_use");
  json.Member("id", id);
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
    notes_.NameProof("messages.tool_calls.signature");
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
    } else if (!notes_.put_back || !part.has_opaque() || ours) {
      content_.Add(part, out);
    }
    // Between a text and what is none it says nothing.
    if (!part.has_text() && out->size() > blocks) blank.clear();
    text_seen = text_seen || part.has_text();
  }
  if (!marks.empty()) notes_.NameProof("messages.content");
}

bool ConversationWriter::IsRestored(const v1::Message* message) const {
  return std::find(restored_.begin(), restored_.end(), message) !=
         restored_.end();
}

void ConversationWriter::AddAssistant(const Messages& run) {
  Turn turn{Turn::Role::kAssistant, {}};
  results_.Clear();
  for (const v1::Message* message : run) {
    std::vector<Block> said;
    notes_.put_back = IsRestored(message);
    AddAssistantParts(*message, &said);
    AddMessageExtra(*message, &said);
    if (!message->name().empty()) notes_.dropped.Add("messages.name");
    if (!HoldsAnnotations(*message)) {
      notes_.dropped.Add("messages.annotations");
    }
    if (!message->audio().empty()) notes_.dropped.Add("messages.audio");
    if (!message->function_call().empty()) {
      notes_.dropped.Add("messages.function_call");
    }
    notes_.put_back = false;
    Append(std::move(said), &turn.blocks);
  }
  PutCallsLast(&turn.blocks);
  if (run.size() > 1 && OnlyPlainKinds(turn.blocks)) {
    PutThinkingFirst(&turn.blocks);
  }
  // Thinking alone is no message.
  const bool says = std::any_of(
      turn.blocks.begin(), turn.blocks.end(),
      [](const Block& block) { return block.kind != Kind::kThinking; });
  if (says) AddTurn(std::move(turn), &out_.turns);
}

// Where the caller asked for the beta, system text is a turn of its own
// behind the user's, who may go on meanwhile; else it is user text that says
// what it is.
void ConversationWriter::AddSpoken(const v1::Message& message,
                                   std::vector<Block>* user, Turn* system) {
  if (IsSystem(message)) {
    std::vector<Block> said = ReadSystem(message);
    if (setting_.system_turns) return Append(std::move(said), &system->blocks);
    if (said.empty()) return;
    notes_.dropped.Add("messages.system");
    user->push_back(TextBlock("<system>"));
    Append(std::move(said), user);
    user->push_back(TextBlock("</system>"));
    return;
  }
  if (message.role() == "function") {
    notes_.Refuse("messages.role",
                  "function messages are not taken;"
                  " use tools");
  }
  std::vector<Block> said;
  for (const v1::Part& part : message.parts()) content_.Add(part, &said);
  AddMessageExtra(message, &said);
  if (!message.name().empty()) notes_.dropped.Add("messages.name");
  const bool overtakes = !said.empty() && !system->blocks.empty();
  if (overtakes) notes_.dropped.Add("messages.system");
  Append(std::move(said), user);
}

void ConversationWriter::AddMidSystem(Turn system, std::vector<Block> user) {
  if (user.empty()) {
    notes_.dropped.Add("messages.role");
    user.push_back(TextBlock(kPlaceholder));
  }
  AddTurn({Turn::Role::kUser, std::move(user)}, &out_.turns);
  AddTurn(std::move(system), &out_.turns);
}

void ConversationWriter::AddUser(const Messages& run) {
  std::vector<Block> blocks = results_.Take(run);
  Turn system{Turn::Role::kSystem, {}};
  bool spoke = false;
  for (const v1::Message* message : run) {
    if (message->role() == "tool") continue;
    AddSpoken(*message, &blocks, &system);
    spoke = spoke || !IsSystem(*message);
  }
  const bool goes_on =
      !out_.turns.empty() && out_.turns.back().role == Turn::Role::kUser;
  if (blocks.empty() && spoke && !goes_on) {
    // Without it the assistant would have the last word, or two in a row.
    notes_.dropped.Add("messages.content");
    blocks.push_back(TextBlock(kEmptied));
  }
  if (!system.blocks.empty()) {
    return AddMidSystem(std::move(system), std::move(blocks));
  }
  if (!blocks.empty()) {
    AddTurn({Turn::Role::kUser, std::move(blocks)}, &out_.turns);
  }
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

Conversation ConversationWriter::Write(const ChatRequest& chat) {
  const v1::ChatCompletionRequest& request = chat.message;
  int at = 0;
  const int count = request.messages_size();
  for (int i = 0; i < count; ++i) {
    if (chat.IsRestored(i)) restored_.push_back(&request.messages(i));
  }
  while (at < count && IsSystem(request.messages(at))) {
    Append(ReadSystem(request.messages(at++)), &out_.system);
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
  if (results_.waits()) AddUser({});
  CheckEnds();
  out_.loop = FindLoop(out_.turns);
  return std::move(out_);
}

}  // namespace llm::anthropic
