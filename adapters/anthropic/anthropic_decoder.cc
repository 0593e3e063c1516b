#include "adapters/anthropic/anthropic_decoder.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/anthropic/citation_marks.h"
#include "adapters/anthropic/stop_reason.h"
#include "adapters/core/text.h"

namespace llm::anthropic {
namespace {

using sv = std::string_view;

constexpr sv kMessageFields[] = {"id",           "type",          "role",
                                 "content",      "model",         "stop_reason",
                                 "stop_details", "stop_sequence", "usage"};
constexpr sv kEventFields[] = {"type", "delta", "usage"};
// "The text before this ends here": see README, "Citations".
constexpr sv kEndOfText = R"({"citations":[]})";

sv Trim(sv text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return ToStd(absl::StripAsciiWhitespace(ToAbsl(text)));
}

void AddOpaque(std::string json, v1::Message* out) {
  v1::OpaquePart* part = out->add_parts()->mutable_opaque();
  part->set_origin("anthropic");
  part->set_json(std::move(json));
}

bool HoldsContent(const v1::Part& part) {
  if (part.has_reasoning()) {
    return !part.reasoning().text().empty() ||
           !part.reasoning().redacted_data().empty();
  }
  return !part.has_opaque();
}

// Blocks follow one another; more that never end are no answer.
constexpr size_t kMaxOpenBlocks = 1024;

}  // namespace

bool AnthropicDecoder::FailOnError(JsonValue root, bool error_event) {
  auto words = FindError(root);
  const bool said =
      error_event || root.Find("type").Equals("error") || words.has_value();
  if (!said) return false;
  facts_.error = words ? *std::move(words) : ReadErrorBody(root.raw());
  // The error table finds the class; this one stands until then.
  Fail(FailureClass::kServerError);
  return true;
}

// Each event may bring a record; they are read as one, and once.
void AnthropicDecoder::Settle() {
  if (!std::exchange(usage_news_, false)) return;
  facts_.usage = usage_.usage();
  facts_.raw_usage_json = usage_.raw_json();
}

void AnthropicDecoder::ReadStop(JsonValue holder) {
  const std::string reason = holder.Find("stop_reason").StringOr();
  if (!reason.empty()) stop_reason_ = reason;
  const JsonValue details = holder.Find("stop_details");
  const JsonValue sequence = holder.Find("stop_sequence");
  if (details.is_object() && stop_reason_ == "refusal") {
    refusal_ = details.Find("explanation").StringOr();
  }
  if (!details.has_value() && !sequence.has_value()) return;
  choice_extra_.clear();
  JsonWriter json(&choice_extra_);
  json.BeginObject();
  if (sequence.has_value()) json.MemberRaw("stop_sequence", sequence.raw());
  if (details.has_value()) json.MemberRaw("stop_details", details.raw());
  json.EndObject();
}

void AnthropicDecoder::ReadMessage(JsonValue message) {
  facts_.answer_id = message.Find("id").StringOr();
  facts_.served_model = message.Find("model").StringOr();
  extra_.Note(message, kMessageFields);
  usage_news_ = usage_.Push(message.Find("usage")) || usage_news_;
  ReadStop(message);
}

// Two text blocks in a row are two blocks when they go back.
void AnthropicDecoder::SeparateTexts(v1::Message* out) {
  if (unmarked_text_ && answer_tool_.empty()) {
    AddOpaque(std::string(kEndOfText), out);
  }
  unmarked_text_ = false;
}

v1::Message* AnthropicDecoder::TargetOf(const BlockDecoder& block,
                                        v1::Message* out) {
  const bool beside =
      !answer_tool_.empty() && block.kind() == BlockDecoder::Kind::kText;
  return beside ? &held_ : out;
}

// A block that was never stopped ends where the next begins, or what its end
// says would come behind it. Calls alone may run side by side: each of their
// fragments says whose it is.
void AnthropicDecoder::CloseBefore(int64_t index, BlockDecoder::Kind kind,
                                   v1::Message* out) {
  const auto is_call = [](BlockDecoder::Kind one) {
    return one == BlockDecoder::Kind::kCall ||
           one == BlockDecoder::Kind::kAnswer;
  };
  for (auto at = open_.begin(); at != open_.end();) {
    const bool beside = is_call(kind) && is_call(at->second->kind());
    if (beside && at->first != index) {
      ++at;
      continue;
    }
    CloseBlock(*at->second, out);
    at = open_.erase(at);
  }
}

BlockDecoder& AnthropicDecoder::AddBlock(int64_t index, JsonValue start,
                                         v1::Message* out) {
  auto next = std::make_unique<BlockDecoder>(
      start, calls_, absl::StrCat("call_", seed_, "_", calls_), answer_tool_,
      names_);
  const BlockDecoder::Kind kind = next->kind();
  CloseBefore(index, kind, out);
  if (open_.size() >= kMaxOpenBlocks) Fail(FailureClass::kBadAnswer);
  auto& slot = open_[index];
  slot = std::move(next);
  if (kind == BlockDecoder::Kind::kCall) ++calls_;
  if (kind == BlockDecoder::Kind::kAnswer) answered_by_tool_ = true;
  if (kind == BlockDecoder::Kind::kText) SeparateTexts(out);
  unmarked_text_ = false;
  return *slot;
}

// OpenAI's url_citation for citations of web pages (openai.md 4).
void AnthropicDecoder::AddAnnotations(const BlockDecoder& block,
                                      v1::Message* out) {
  std::string text;
  JsonWriter json(&text);
  json.BeginArray();
  for (const std::string& citation : block.citations()) {
    const auto doc = JsonDocument::Parse(citation);
    if (!doc.ok() || !doc->root().Find("url").is_string()) continue;
    json.BeginObject();
    json.Member("type", "url_citation");
    json.Key("url_citation");
    json.BeginObject();
    json.MemberInt("start_index", text_at_);
    json.MemberInt("end_index", text_at_ + block.text_characters());
    json.Member("title", doc->root().Find("title").StringOr());
    json.Member("url", doc->root().Find("url").StringOr());
    json.EndObject();
    json.EndObject();
  }
  json.EndArray();
  if (text == "[]") return;
  // A whole answer's blocks all end in one message.
  std::string& list = *out->mutable_annotations();
  if (list.empty()) {
    list = std::move(text);
  } else {
    list.pop_back();
    list.append(",").append(text, 1);
  }
}

void AnthropicDecoder::CloseBlock(BlockDecoder& block, v1::Message* out) {
  if (block.closed()) return;
  block.Close(TargetOf(block, out));
  has_answer_ = has_answer_ || block.has_answer();
  has_reasoning_ = has_reasoning_ || block.has_reasoning();
  characters_ += block.characters();
  if (block.kind() != BlockDecoder::Kind::kText || !answer_tool_.empty()) {
    return;
  }
  if (block.has_citations()) {
    AddOpaque(CitationMark(absl::StrJoin(block.citations(), ","), text_at_,
                           text_at_ + block.text_characters()),
              out);
    AddAnnotations(block, out);
  }
  unmarked_text_ = !block.has_citations() && block.text_characters() > 0;
  text_at_ += block.text_characters();
}

void AnthropicDecoder::OnMessageStart(JsonValue message, v1::Message* out) {
  if (!message.is_object()) return;
  if (started_) {
    // Some proxies say it twice; another message inside this one is none.
    const bool same = message.Find("id").StringOr() == facts_.answer_id;
    if (!same) Fail(FailureClass::kBadAnswer);
    return;
  }
  started_ = true;
  ReadMessage(message);
  // A turn that goes on (programmatic tool calls) can begin with its calls.
  const JsonValue content = message.Find("content");
  if (!content.is_array()) return;
  int64_t index = -1;
  for (JsonValue v = content.First(); v; v = v.Next(), --index) {
    if (!v.is_object()) continue;
    BlockDecoder& block = AddBlock(index, v, out);
    block.Open(v, TargetOf(block, out));
    CloseBlock(block, out);
    open_.erase(index);
  }
}

void AnthropicDecoder::OnBlockStart(JsonValue event, v1::Message* out) {
  const JsonValue start = event.Find("content_block");
  if (!start.is_object()) return;
  BlockDecoder& block =
      AddBlock(event.Find("index").AsInt64().value_or(0), start, out);
  block.Open(start, TargetOf(block, out));
}

void AnthropicDecoder::OnBlockDelta(JsonValue event, v1::Message* out) {
  const JsonValue delta = event.Find("delta");
  if (!delta.is_object()) return;
  const int64_t index = event.Find("index").AsInt64().value_or(0);
  const auto known = open_.find(index);
  if (known == open_.end() && delta.Find("type").Equals("input_json_delta")) {
    // Of whose input? Lost arguments would be another call.
    if (delta.Find("partial_json").StringOr().empty()) return;
    return Fail(FailureClass::kBadAnswer);
  }
  // Imitators leave the start out; the delta says what it is a part of.
  BlockDecoder& block =
      known != open_.end() ? *known->second : AddBlock(index, delta, out);
  block.Push(delta, TargetOf(block, out));
}

void AnthropicDecoder::OnBlockStop(JsonValue event, v1::Message* out) {
  const auto known = open_.find(event.Find("index").AsInt64().value_or(0));
  if (known == open_.end()) return;
  CloseBlock(*known->second, out);
  open_.erase(known);
}

void AnthropicDecoder::OnMessageDelta(JsonValue event) {
  const JsonValue delta = event.Find("delta");
  ReadStop(delta);
  extra_.Note(event, kEventFields);
  if (delta.is_object()) extra_.Note(delta, kMessageFields);
  // message_start holds "a small initial value" of the output (anthropic.md 5).
  facts_.output_is_early =
      facts_.output_is_early &&
      !event.Find("usage").Find("output_tokens").is_number();
  usage_news_ = usage_.Push(event.Find("usage")) || usage_news_;
}

void AnthropicDecoder::CloseAll(v1::Message* out) {
  for (auto& [index, block] : open_) CloseBlock(*block, out);
  open_.clear();
  if (answered_by_tool_) return;
  for (v1::Part& part : *held_.mutable_parts()) out->add_parts()->Swap(&part);
  held_.Clear();
}

void AnthropicDecoder::Finish(v1::ChunkChoice* choice) {
  if (!refusal_.empty()) {
    characters_ += CountCodePoints(refusal_);
    choice->mutable_delta()->add_parts()->mutable_refusal()->set_text(refusal_);
  }
  finish_reason_ = std::string(FinishReason(stop_reason_, calls_ > 0));
  choice->set_finish_reason(finish_reason_);
  if (stop_reason_ != finish_reason_) {
    choice->set_native_finish_reason(stop_reason_);
  }
  choice->set_extra_json(choice_extra_);
}

void AnthropicDecoder::CountOutput() {
  facts_.output_chars = characters_;
  for (const auto& [index, block] : open_) {
    facts_.output_chars += block->characters();
  }
}

void AnthropicDecoder::Emit(v1::ChunkChoice choice, Chunks* out) {
  CountOutput();
  const bool says = choice.delta().parts_size() > 0 ||
                    !choice.delta().annotations().empty() ||
                    !choice.finish_reason().empty();
  if (!says) return;
  for (v1::Part& part : *choice.mutable_delta()->mutable_parts()) {
    if (part.has_reasoning() && !part.reasoning().origin().empty()) {
      part.mutable_reasoning()->set_origin_model(model_);
    }
    // What only Anthropic reads moves the answer on, and is none.
    new_content_ = true;
    facts_.content_seen = facts_.content_seen || HoldsContent(part);
  }
  if (!role_sent_) choice.mutable_delta()->set_role("assistant");
  role_sent_ = true;
  v1::ChatCompletionChunk chunk;
  *chunk.add_choices() = std::move(choice);
  chunk.set_service_tier(usage_.service_tier());
  chunk.set_extra_json(extra_.Take());
  out->push_back(std::move(chunk));
}

void AnthropicDecoder::OnWhole(std::string_view body, Chunks* out) {
  if (failed()) return;
  if (!document_.Reparse(Trim(body), {}).ok()) {
    return Fail(FailureClass::kBadAnswer);
  }
  const JsonValue root = document_.root();
  if (FailOnError(root, false)) return;
  if (!root.Find("content").is_array()) return Fail(FailureClass::kBadAnswer);
  v1::ChunkChoice choice;
  OnMessageStart(root, choice.mutable_delta());
  CloseAll(choice.mutable_delta());
  Finish(&choice);
  Emit(std::move(choice), out);
  facts_.complete = true;
  Judge();
}

void AnthropicDecoder::ReadEvent(std::string_view type, JsonValue event,
                                 v1::Message* out) {
  if (type == "message_start") {
    facts_.output_is_early = facts_.output_is_early || !started_;
    OnMessageStart(event.Find("message"), out);
  } else if (type == "content_block_start") {
    OnBlockStart(event, out);
  } else if (type == "content_block_delta") {
    OnBlockDelta(event, out);
  } else if (type == "content_block_stop") {
    OnBlockStop(event, out);
  } else if (type == "message_delta") {
    OnMessageDelta(event);
  }
  // ping, and whatever comes to be.
}

void AnthropicDecoder::OnEvent(std::string_view type, std::string_view data,
                               Chunks* out) {
  data = Trim(data);
  // What follows the end says nothing; nor does OpenAI's own end.
  if (failed() || done_ || data.empty() || data == "[DONE]") return;
  if (!document_.Reparse(data, {}).ok() || !document_.root().is_object()) {
    return Fail(FailureClass::kBadAnswer);
  }
  const JsonValue root = document_.root();
  if (FailOnError(root, type == "error")) return;
  const std::string named = root.Find("type").StringOr(type);
  v1::ChunkChoice choice;
  ReadEvent(named, root, choice.mutable_delta());
  if (failed()) return;
  if (named == "message_stop") {
    CloseAll(choice.mutable_delta());
    Finish(&choice);
    done_ = true;
  }
  Emit(std::move(choice), out);
}

void AnthropicDecoder::OnEnd(bool /*clean*/, Chunks* /*out*/) {
  if (failed()) return;
  // However the bytes ended: Anthropic says when it is done.
  if (!done_) return Fail(FailureClass::kIncomplete);
  facts_.complete = true;
  Judge();
}

// A success must hold an answer, or say why there is none [STR-7].
void AnthropicDecoder::Judge() {
  Settle();
  if (has_answer_ || finish_reason_ == "content_filter") return;
  if (only_warms_ && stop_reason_ == "max_tokens") return;
  const bool thought =
      has_reasoning_ ||
      (facts_.usage && facts_.usage->reasoning.value_or(0) > 0);
  facts_.reasoning_exhausted = finish_reason_ == "length" && thought;
  if (!facts_.reasoning_exhausted) Fail(FailureClass::kEmptyAnswer);
}

}  // namespace llm::anthropic
