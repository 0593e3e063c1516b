#include "adapters/gemini/gemini_decoder.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "adapters/core/text.h"
#include "adapters/gemini/finish_reason.h"

namespace llm::gemini {
namespace {

constexpr std::string_view kTopFields[] = {"candidates",   "usageMetadata",
                                           "modelVersion", "responseId",
                                           "createTime",   "error"};

// candidateCount is at most 8; a server that counts further is not believed.
constexpr int kMaxChoices = 128;

std::string_view Trim(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return ToStd(absl::StripAsciiWhitespace(ToAbsl(text)));
}

bool IsAnswer(JsonValue root) {
  return root.Find("candidates").is_array() ||
         root.Find("promptFeedback").is_object() ||
         root.Find("usageMetadata").is_object();
}

}  // namespace

CandidateDecoder& GeminiDecoder::ChoiceAt(int index) {
  std::unique_ptr<CandidateDecoder>& choice = choices_[index];
  if (choice == nullptr) {
    choice = std::make_unique<CandidateDecoder>(
        model_, seed_ + "/" + std::to_string(index), names_);
  }
  return *choice;
}

bool GeminiDecoder::FailOnError(JsonValue root, bool error_event) {
  auto words = FindError(root);
  if (!words && !error_event) return false;
  facts_.error = words ? *std::move(words) : ReadErrorBody(root.raw());
  usage_.Push(root.Find("usageMetadata"));
  NoteUsage();
  // The error table finds the class; this one stands until then.
  Fail(FailureClass::kServerError);
  return true;
}

void GeminiDecoder::NoteUsage() {
  if (auto usage = usage_.Usage(facts_.complete)) {
    facts_.usage = *std::move(usage);
  }
  facts_.raw_usage_json = usage_.raw();
}

void GeminiDecoder::ReadTop(JsonValue root) {
  std::string model = root.Find("modelVersion").StringOr();
  if (!model.empty()) facts_.served_model = std::move(model);
  if (facts_.answer_id.empty()) {
    facts_.answer_id = root.Find("responseId").StringOr();
  }
  usage_.Push(root.Find("usageMetadata"));
  NoteUsage();
  extra_.Note(root, kTopFields);
}

// Only where there is no candidate: a filter that lets the prompt pass may
// have its say beside the answer.
void GeminiDecoder::ReadPromptFeedback(JsonValue root) {
  const std::string reason =
      root.Find("promptFeedback").Find("blockReason").StringOr();
  if (reason.empty() || !choices_.empty()) return;
  ChoiceAt(0).Block(reason);
}

void GeminiDecoder::ReadCandidates(JsonValue root,
                                   v1::ChatCompletionChunk* chunk) {
  const JsonValue candidates = root.Find("candidates");
  for (JsonValue v = candidates.First(); v; v = v.Next()) {
    if (!v.is_object()) continue;
    const int64_t index = v.Find("index").AsInt64().value_or(0);
    if (index < 0 || index >= kMaxChoices) continue;
    CandidateDecoder& choice = ChoiceAt(static_cast<int>(index));
    v1::ChunkChoice out;
    choice.Push(v, &out);
    if (choice.broken()) return Fail(FailureClass::kBadAnswer);
    if (choice.in_call()) new_content_ = true;
    if (!HoldsSomething(out)) continue;
    out.set_index(static_cast<int>(index));
    *chunk->add_choices() = std::move(out);
  }
}

void GeminiDecoder::Emit(v1::ChatCompletionChunk&& chunk, Chunks* out) {
  for (const v1::ChunkChoice& choice : chunk.choices()) {
    if (!HoldsContent(choice)) continue;
    facts_.content_seen = true;
    new_content_ = true;
  }
  chunk.set_service_tier(usage_.tier());
  chunk.set_extra_json(extra_.Take());
  PassOn(std::move(chunk), out);
}

void GeminiDecoder::ReadEvent(JsonValue response, bool error_event,
                              Chunks* out) {
  if (failed() || FailOnError(response, error_event)) return;
  v1::ChatCompletionChunk chunk;
  ReadTop(response);
  ReadCandidates(response, &chunk);
  ReadPromptFeedback(response);
  if (chunk.choices_size() > 0) Emit(std::move(chunk), out);
  facts_.output_chars = 0;
  for (const auto& [index, choice] : choices_) {
    facts_.output_chars += choice->characters();
  }
}

void GeminiDecoder::OnEvent(std::string_view type, std::string_view data,
                            Chunks* out) {
  data = Trim(data);
  if (failed() || data.empty()) return;
  // Not Google's, but what a proxy in OpenAI's manner puts at the end.
  if (data == "[DONE]") return;
  if (!document_.Reparse(data, {}).ok()) {
    return Fail(FailureClass::kBadAnswer);
  }
  const JsonValue root = document_.root();
  if (!root.is_array()) return ReadEvent(root, type == "error", out);
  for (JsonValue v = root.First(); v; v = v.Next()) {
    ReadEvent(v, type == "error", out);
  }
}

void GeminiDecoder::OnWhole(std::string_view body, Chunks* out) {
  if (failed()) return;
  if (!document_.Reparse(Trim(body), {}).ok()) {
    return Fail(FailureClass::kBadAnswer);
  }
  const JsonValue root = document_.root();
  // Without alt=sse a stream is one growing array.
  if (root.is_array()) {
    if (!root.First().is_object()) return Fail(FailureClass::kBadAnswer);
    for (JsonValue v = root.First(); v; v = v.Next()) ReadEvent(v, false, out);
    return OnEnd(true, out);
  }
  if (FailOnError(root, false)) return;
  if (!IsAnswer(root)) return Fail(FailureClass::kBadAnswer);
  v1::ChatCompletionChunk chunk;
  ReadTop(root);
  ReadCandidates(root, &chunk);
  ReadPromptFeedback(root);
  CloseChoices(&chunk);
  if (chunk.choices_size() > 0) Emit(std::move(chunk), out);
  Finish();
}

// Every choice gets its end in this chunk, after whatever it holds of it.
void GeminiDecoder::CloseChoices(v1::ChatCompletionChunk* chunk) {
  for (auto& [index, choice] : choices_) {
    v1::ChunkChoice* to = nullptr;
    for (v1::ChunkChoice& present : *chunk->mutable_choices()) {
      if (present.index() == index) to = &present;
    }
    if (to == nullptr) {
      to = chunk->add_choices();
      to->set_index(index);
    }
    choice->Close(to);
  }
}

void GeminiDecoder::OnEnd(bool clean, Chunks* out) {
  if (failed()) return;
  const bool finished =
      !choices_.empty() &&
      std::all_of(choices_.begin(), choices_.end(), [](const auto& choice) {
        return !choice.second->finish_word().empty();
      });
  // Each candidate has said that it is at its end: how the connection ended
  // after that says nothing (gemini.md section 5).
  static_cast<void>(clean);
  if (!finished) return Fail(FailureClass::kIncomplete);
  v1::ChatCompletionChunk chunk;
  CloseChoices(&chunk);
  Emit(std::move(chunk), out);
  Finish();
}

void GeminiDecoder::Finish() {
  facts_.complete = true;
  NoteUsage();
  Judge();
}

// A success must hold an answer, or say why there is none [STR-7]. Judged on
// what came, not on the reported usage; only hidden thoughts, which never
// come, are taken from it.
void GeminiDecoder::Judge() {
  bool answer = false;
  bool filtered = false;
  bool all_length = !choices_.empty();
  bool reasoning = facts_.usage && facts_.usage->reasoning.value_or(0) > 0;
  std::string broken;
  facts_.output_chars = 0;
  for (const auto& [index, choice] : choices_) {
    facts_.output_chars += choice->characters();
    answer = answer || choice->has_answer();
    reasoning = reasoning || choice->has_reasoning();
    filtered = filtered || choice->finish_reason() == "content_filter";
    all_length = all_length && choice->finish_reason() == "length";
    if (MeaningOfFinish(choice->finish_word()).broken) {
      broken = choice->finish_word();
    }
  }
  if (answer || filtered) return;
  facts_.reasoning_exhausted = all_length && reasoning;
  if (facts_.reasoning_exhausted) return;
  if (broken.empty()) return Fail(FailureClass::kEmptyAnswer);
  ErrorWords words;
  words.code = broken;
  words.message = "the model's answer could not be used by its provider";
  facts_.error = std::move(words);
  Fail(FailureClass::kBadAnswer);
}

}  // namespace llm::gemini
