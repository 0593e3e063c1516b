#include "adapters/openai/openai_decoder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"
#include "adapters/dialect/provider_words.h"
#include "adapters/openai/finish_reason.h"
#include "adapters/openai/usage_decoder.h"

namespace llm::openai {
namespace {

// Modelled, or noise that no caller has a use for: `obfuscation` is padding
// against traffic analysis, `x_groq` repeats usage and ids.
constexpr std::string_view kTopFields[] = {
    "id",           "object",  "created",
    "model",        "choices", "usage",
    "service_tier", "error",   "system_fingerprint",
    "obfuscation",  "x_groq",  "base_resp"};

// One answer holds at most this many choices (openai.md section 2: n <= 128);
// a server that counts further is not believed.
constexpr int kMaxChoices = 128;

// Tiers are short names; they are recorded.
constexpr size_t kMaxTier = 64;

std::string_view Trim(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return ToStd(absl::StripAsciiWhitespace(ToAbsl(text)));
}

}  // namespace

ChoiceDecoder& OpenAiDecoder::ChoiceAt(int index) {
  std::unique_ptr<ChoiceDecoder>& choice = choices_[index];
  if (choice == nullptr) {
    choice = std::make_unique<ChoiceDecoder>(origin_,
                                             absl::StrCat(seed_, "/", index));
  }
  return *choice;
}

bool OpenAiDecoder::FailOnError(JsonValue root, bool error_event) {
  auto words = FindError(root);
  if (!words && !error_event) return false;
  facts_.error = words ? *std::move(words) : ReadErrorBody(root.raw());
  ReadUsage(root.Find("usage"));
  // The error table finds the class; this one stands until then.
  Fail(FailureClass::kServerError);
  return true;
}

void OpenAiDecoder::ReadUsage(JsonValue usage) {
  // The last record wins; running totals are never added up.
  auto decoded = DecodeUsage(usage);
  if (!decoded) return;
  facts_.usage = *std::move(decoded);
  facts_.raw_usage_json = AuditedUsage(usage);
}

void OpenAiDecoder::ReadTop(JsonValue root) {
  // The same words stand in every event: copied only when they change.
  const JsonValue model = root.Find("model");
  if (model.is_string() && !model.Equals("") &&
      !model.Equals(facts_.served_model)) {
    facts_.served_model = model.StringOr();
  }
  if (facts_.answer_id.empty()) {
    facts_.answer_id = root.Find("id").StringOr();
  }
  const JsonValue tier = root.Find("service_tier");
  if (tier.is_string() && !tier.Equals(service_tier_)) {
    std::string word = OneWord(tier.StringOr(), kMaxTier);
    if (!word.empty()) service_tier_ = std::move(word);
  }
  const JsonValue print = root.Find("system_fingerprint");
  if (print.is_string() && !print.Equals("") && !print.Equals(fingerprint_)) {
    fingerprint_ = print.StringOr();
  }
  ReadUsage(root.Find("x_groq").Find("usage"));
  ReadUsage(root.Find("choices").First().Find("usage"));
  ReadUsage(root.Find("usage"));
  if (facts_.usage) facts_.usage->service_tier = service_tier_;
  extra_.Note(root, kTopFields);
}

// False: the word says that the provider broke off.
bool OpenAiDecoder::CheckFinishWord(const ChoiceDecoder& choice) {
  const FinishMeaning meaning = MeaningOfFinish(choice.finish_word());
  if (meaning.failure == FailureClass::kNone) return true;
  if (meaning.only_when_empty && choice.has_answer()) return true;
  Fail(meaning.failure);
  return false;
}

void OpenAiDecoder::ReadChoices(JsonValue root, bool whole,
                                v1::ChatCompletionChunk* chunk) {
  int position = 0;
  const JsonValue choices = root.Find("choices");
  for (JsonValue v = choices.First(); v; v = v.Next(), ++position) {
    if (!v.is_object()) continue;
    const int64_t index = v.Find("index").AsInt64().value_or(position);
    if (index < 0 || index >= kMaxChoices) continue;
    ChoiceDecoder& choice = ChoiceAt(static_cast<int>(index));
    v1::ChunkChoice& out = *chunk->add_choices();
    choice.Push(v, &out);
    if (whole || !choice.finish_word().empty()) {
      if (!CheckFinishWord(choice)) {
        chunk->mutable_choices()->RemoveLast();
        return;
      }
      choice.Close(&out);
    }
    if (HoldsSomething(out)) {
      out.set_index(static_cast<int>(index));
    } else {
      chunk->mutable_choices()->RemoveLast();
    }
  }
}

void OpenAiDecoder::Emit(v1::ChatCompletionChunk&& chunk, Chunks* out) {
  for (const v1::ChunkChoice& choice : chunk.choices()) {
    if (!HoldsContent(choice)) continue;
    facts_.content_seen = true;
    new_content_ = true;
  }
  chunk.set_service_tier(service_tier_);
  chunk.set_system_fingerprint(fingerprint_);
  chunk.set_extra_json(extra_.Take());
  PassOn(std::move(chunk), out);
}

void OpenAiDecoder::OnWhole(std::string_view body, Chunks* out) {
  if (failed()) return;
  if (!document_.Reparse(Trim(body), {}).ok()) {
    return Fail(FailureClass::kBadAnswer);
  }
  const JsonValue root = document_.root();
  if (FailOnError(root, false)) return;
  v1::ChatCompletionChunk chunk;
  ReadTop(root);
  // `choices: null` without an error is an upstream that failed (OpenRouter).
  if (!root.Find("choices").is_array()) return Fail(FailureClass::kBadAnswer);
  ReadChoices(root, true, &chunk);
  if (failed()) return;
  if (chunk.choices_size() > 0) Emit(std::move(chunk), out);
  facts_.complete = true;
  Judge();
}

void OpenAiDecoder::OnEvent(std::string_view type, std::string_view data,
                            Chunks* out) {
  data = Trim(data);
  if (failed() || data.empty()) return;
  // What follows the end says nothing, whether it comes with it or later.
  if (done_) return;
  if (data == "[DONE]") return OnDone();
  if (!document_.Reparse(data, {}).ok()) {
    return Fail(FailureClass::kBadAnswer);
  }
  const JsonValue root = document_.root();
  if (FailOnError(root, type == "error")) return;
  v1::ChatCompletionChunk chunk;
  ReadTop(root);
  ReadChoices(root, false, &chunk);
  if (chunk.choices_size() > 0) Emit(std::move(chunk), out);
  CountOutput();
}

void OpenAiDecoder::CountOutput() {
  facts_.output_chars = 0;
  for (const auto& [index, choice] : choices_) {
    facts_.output_chars += choice->characters();
  }
}

void OpenAiDecoder::CloseChoices(Chunks* out) {
  v1::ChatCompletionChunk chunk;
  for (auto& [index, choice] : choices_) {
    if (choice->closed()) continue;
    v1::ChunkChoice last;
    choice->Close(&last);
    last.set_index(index);
    *chunk.add_choices() = std::move(last);
  }
  if (chunk.choices_size() > 0 || extra_.pending()) {
    Emit(std::move(chunk), out);
  }
}

void OpenAiDecoder::OnEnd(bool clean, Chunks* out) {
  if (failed()) return;
  const bool finished =
      !choices_.empty() &&
      std::all_of(choices_.begin(), choices_.end(),
                  [](const auto& choice) { return choice.second->closed(); });
  facts_.complete = done_ || (clean && finished);
  if (!facts_.complete) return Fail(FailureClass::kIncomplete);
  CloseChoices(out);
  Judge();
}

// A success must hold an answer, or say why there is none [STR-7]. Judged on
// what came, not on the reported usage; only hidden reasoning, which never
// comes, is taken from it.
void OpenAiDecoder::Judge() {
  bool answer = false;
  bool filtered = false;
  bool all_length = !choices_.empty();
  bool reasoning = facts_.usage && facts_.usage->reasoning.value_or(0) > 0;
  CountOutput();
  for (const auto& [index, choice] : choices_) {
    answer = answer || choice->has_answer();
    reasoning = reasoning || choice->has_reasoning();
    filtered = filtered || choice->finish_reason() == "content_filter";
    all_length = all_length && choice->finish_reason() == "length";
  }
  if (answer || filtered) return;
  facts_.reasoning_exhausted = all_length && reasoning;
  if (!facts_.reasoning_exhausted) Fail(FailureClass::kEmptyAnswer);
}

}  // namespace llm::openai
