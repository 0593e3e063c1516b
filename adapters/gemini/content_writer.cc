#include "adapters/gemini/content_writer.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "adapters/core/json.h"

namespace llm::gemini {
namespace {

// Said for a user who says nothing, where the conversation opens with the
// model or would end with it.
constexpr std::string_view kOpening = "Go on.";

bool IsSystem(const v1::Message& message) {
  return message.role() == "system" || message.role() == "developer";
}

bool IsResult(const v1::Message& message) {
  return message.role() == "tool" || message.role() == "function";
}

// White space is no more than nothing.
bool IsBlank(const v1::Message& message) {
  for (const v1::Part& part : message.parts()) {
    if (!part.has_text() || !part.text().signature().empty() ||
        !absl::StripAsciiWhitespace(part.text().text()).empty()) {
      return false;
    }
  }
  return true;
}

std::string Whole(const WrittenPart& part) {
  return part.whole ? part.json : part.json + "}";
}

}  // namespace

ContentWriter::ContentWriter(const v1::ChatCompletionRequest& request,
                             std::string instruction, Rendering& to)
    : to_(to), parts_(to), results_(request, to) {
  Read(request);
  if (!instruction.empty()) system_.push_back(std::move(instruction));
  Instruct(request);
  SpeakForUser();
  if (to.family.third_generation) SignSteps();
}

void ContentWriter::Read(const v1::ChatCompletionRequest& request) {
  for (int at = 0; at < request.messages_size(); ++at) {
    const v1::Message& message = request.messages(at);
    NameBeside(message);
    if (IsSystem(message)) {
      ReadSystem(message);
    } else if (IsResult(message)) {
      Answer();
    } else {
      to_.put_back = to_.source != nullptr && to_.source->IsRestored(at);
      ReadSpoken(message, at);
      to_.put_back = false;
    }
  }
  Answer();
}

void ContentWriter::ReadSystem(const v1::Message& message) {
  for (const v1::Part& part : message.parts()) {
    if (part.has_text()) {
      if (!part.text().text().empty()) system_.push_back(part.text().text());
      NamePartExtra(part.extra_json(), to_);
    } else {
      to_.Refuse("messages.content", "a system message holds text alone");
    }
  }
}

// Members of a message that have no place here.
void ContentWriter::NameBeside(const v1::Message& message) {
  if (!message.name().empty() && !IsResult(message)) {
    to_.dropped.Add("messages.name");
  }
  if (!message.audio().empty()) to_.dropped.Add("messages.audio");
  if (!message.annotations().empty()) to_.dropped.Add("messages.annotations");
  const auto extra = JsonDocument::Parse(message.extra_json());
  if (!extra.ok()) return;
  for (JsonValue v = extra->root().First(); v; v = v.Next()) {
    const bool read = IsResult(message) && v.KeyEquals("is_error");
    if (!read && !v.is_null()) to_.dropped.Add("messages." + v.Key());
  }
}

void ContentWriter::Add(bool model, WrittenPart part) {
  if (part.json.empty()) return;
  silent_end_ = false;
  if (turns_.empty() || turns_.back().model != model) {
    turns_.push_back({});
    turns_.back().model = model;
  }
  turns_.back().parts.push_back(std::move(part));
}

void ContentWriter::ReadSpoken(const v1::Message& message, int at) {
  const bool model = message.role() == "assistant";
  if (!model) {
    Answer();
    silent_end_ = true;
  }
  const bool blank = !model && IsBlank(message);
  for (const v1::Part& part : message.parts()) {
    // Also of what is not sent, what stood beside it is named.
    WrittenPart written = parts_.Write(part);
    if (!blank) Add(model, std::move(written));
  }
  if (!model) {
    silent_start_ = silent_start_ || turns_.empty();
    return;
  }
  if (!message.function_call().empty()) {
    Add(true, parts_.FunctionCall(message.function_call()));
  }
  for (const CallSlot* call : results_.CallsOf(at)) {
    turns_.back().calls.push_back(call);
  }
}

// The results of the turn that has just ended, if it called anything.
void ContentWriter::Answer() {
  if (turns_.empty() || !turns_.back().model || turns_.back().calls.empty()) {
    return;
  }
  Turn answer;
  answer.results = true;
  std::vector<std::string> beside;
  for (const CallSlot* call : turns_.back().calls) {
    RenderedResult result = results_.Render(*call);
    answer.parts.push_back({std::move(result.part), false, false, true});
    for (std::string& part : result.beside) beside.push_back(std::move(part));
  }
  for (std::string& part : beside) {
    answer.parts.push_back({std::move(part), false, false, true});
  }
  turns_.push_back(std::move(answer));
}

void ContentWriter::Instruct(const v1::ChatCompletionRequest& /*request*/) {
  // With nothing but instructions there is nothing to answer: then they are
  // what the user says.
  system_apart_ = to_.family.system_instruction && !turns_.empty();
  if (system_apart_ || system_.empty()) return;
  if (turns_.empty() || turns_.front().model) {
    turns_.insert(turns_.begin(), Turn{});
  }
  std::vector<WrittenPart> first;
  for (const std::string& text : system_) first.push_back(parts_.Text(text));
  std::vector<WrittenPart>& parts = turns_.front().parts;
  parts.insert(parts.begin(), first.begin(), first.end());
}

// Contents begin with the user, and end with it where it came last.
void ContentWriter::SpeakForUser() {
  Turn said;
  said.parts.push_back(parts_.Text(kOpening));
  if (turns_.empty() || turns_.front().model) {
    to_.dropped.Add(silent_start_ ? "messages.content" : "messages.role");
    turns_.insert(turns_.begin(), said);
  }
  if (silent_end_ && turns_.back().model) {
    to_.dropped.Add("messages.content");
    turns_.push_back(std::move(said));
  }
}

// Since the last content in which the user, and nobody else, speaks.
void ContentWriter::SignSteps() {
  size_t start = turns_.size();
  while (start > 0 && (turns_[start - 1].model || turns_[start - 1].results)) {
    --start;
  }
  for (size_t at = start; at < turns_.size(); ++at) {
    if (!turns_[at].model) continue;
    for (WrittenPart& part : turns_[at].parts) {
      if (!part.call) continue;
      if (!part.signed_part) SignWithStandIn(part);
      break;
    }
  }
}

std::string ContentWriter::Contents() const {
  std::string text;
  JsonWriter out(&text);
  out.BeginArray();
  for (const Turn& turn : turns_) {
    out.BeginObject();
    out.Member("role", turn.model ? "model" : "user");
    out.Key("parts");
    out.BeginArray();
    for (const WrittenPart& part : turn.parts) out.Raw(Whole(part));
    out.EndArray();
    out.EndObject();
  }
  out.EndArray();
  return text;
}

std::string ContentWriter::SystemInstruction() const {
  std::string text;
  if (!system_apart_ || system_.empty()) return text;
  JsonWriter out(&text);
  out.BeginObject();
  out.Key("parts");
  out.BeginArray();
  for (const std::string& part : system_) {
    out.BeginObject();
    out.Member("text", part);
    out.EndObject();
  }
  out.EndArray();
  out.EndObject();
  return text;
}

}  // namespace llm::gemini
