#include "adapters/dialect/error_body.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "adapters/core/text.h"

namespace llm {
namespace {

// Words or a number, as text.
std::string TextOf(JsonValue value) {
  if (value.is_string()) return value.StringOr();
  if (value.is_number()) return std::string(value.raw());
  return {};
}

// Present in the way Python calls truthy.
bool Says(JsonValue value) {
  if (value.is_string()) return !value.StringOr().empty();
  if (value.is_object() || value.is_array()) return value.size() > 0;
  return value.AsBool().value_or(false);
}

int StatusIn(std::string_view text) {
  int status = 0;
  if (!absl::SimpleAtoi(ToAbsl(text), &status)) return 0;
  return status >= 400 && status <= 599 ? status : 0;
}

// FastAPI's {"detail": "text"} or {"detail": [{"loc", "msg", "type"}]}.
void ReadDetail(JsonValue detail, ErrorWords& out) {
  if (detail.is_string()) {
    out.message = detail.StringOr();
    return;
  }
  const JsonValue first = detail.First();
  out.message = first.Find("msg").StringOr();
  out.type = first.Find("type").StringOr();
  std::string path;
  const JsonValue loc = first.Find("loc");
  for (JsonValue v = loc.First(); v; v = v.Next()) {
    if (!path.empty()) path += '.';
    path += TextOf(v);
  }
  out.param = std::move(path);
}

// Google's compatible endpoint keeps its own words: a status in capitals, and
// reasons and a delay in `details` (gemini.md section 6, 2026-11-20).
void ReadGoogle(JsonValue object, ErrorWords& out) {
  const JsonValue details = object.Find("details");
  for (JsonValue v = details.First(); v; v = v.Next()) {
    const std::string reason = v.Find("reason").StringOr();
    if (!reason.empty() && out.type.empty()) out.type = reason;
    const std::string delay = v.Find("retryDelay").StringOr();
    if (!delay.empty()) out.retry_delay = delay;
    const JsonValue violations = v.Find("violations");
    for (JsonValue w = violations.First(); w; w = w.Next()) {
      const std::string quota = w.Find("quotaId").StringOr();
      // One that lasts the day is the one that counts.
      const bool day = quota.find("PerDay") != std::string::npos;
      if (!quota.empty() && (out.quota.empty() || day)) out.quota = quota;
    }
  }
  // Gone for the day: coming back in the seconds that RetryInfo still names
  // would only meet the same refusal.
  if (out.quota.find("PerDay") != std::string::npos) out.retry_delay = "3600s";
  if (out.type.empty() && object.Find("status").is_string()) {
    out.type = object.Find("status").StringOr();
  }
}

// OpenRouter says "Provider returned error" and passes on what its upstream
// said: text, or that upstream's own JSON.
void ReadUpstream(JsonValue metadata, ErrorWords& out) {
  const std::string raw = metadata.Find("raw").StringOr();
  if (raw.empty()) return;
  std::string said = raw;
  if (const auto doc = JsonDocument::Parse(raw); doc.ok()) {
    const JsonValue error = doc->root().Find("error");
    std::string words = TextOf(error.Find("message"));
    if (words.empty()) words = TextOf(error);
    if (words.empty()) words = TextOf(doc->root().Find("message"));
    if (!words.empty()) said = std::move(words);
    if (out.type.empty()) out.type = TextOf(error.Find("code"));
    if (out.type.empty()) out.type = TextOf(error.Find("type"));
  }
  out.message += (out.message.empty() ? "" : ": ") + said;
}

void ReadObject(JsonValue object, ErrorWords& out) {
  out.code = TextOf(object.Find("code"));
  out.type = TextOf(object.Find("type"));
  out.param = TextOf(object.Find("param"));
  out.message = TextOf(object.Find("message"));
  if (out.message.empty()) out.message = TextOf(object.Find("msg"));
  // Mistral nests its validation lists under `message`.
  if (object.Find("message").is_object()) {
    ReadDetail(object.Find("message").Find("detail"), out);
  }
  out.status = StatusIn(TextOf(object.Find("status")));
  if (out.status == 0) out.status = StatusIn(out.code);
  if (out.status == 0) {
    out.status = StatusIn(TextOf(object.Find("raw_status_code")));
  }
  // Anthropic's finer word (anthropic.md section 6, 2026-11-20).
  if (out.code.empty()) {
    out.code = TextOf(object.Find("details").Find("error_code"));
  }
  // Azure says which filter.
  const std::string inner = TextOf(object.Find("innererror").Find("code"));
  if (!inner.empty() && out.type.empty()) out.type = inner;
  ReadGoogle(object, out);
  ReadUpstream(object.Find("metadata"), out);
}

bool ReadBaseResp(JsonValue base, ErrorWords& out) {
  const auto code = base.Find("status_code").AsInt64();
  if (code.value_or(0) == 0) return false;
  out.code = TextOf(base.Find("status_code"));
  out.type = "base_resp";
  out.message = TextOf(base.Find("status_msg"));
  return true;
}

// `error` is an object, a string, or something odd that still means failure.
void ReadErrorMember(JsonValue root, JsonValue error, ErrorWords& out) {
  if (error.is_object()) {
    ReadObject(error, out);
    return;
  }
  out.code = TextOf(root.Find("code"));
  out.type = TextOf(root.Find("type"));
  out.status = StatusIn(out.code);
  out.message = TextOf(error);
}

std::string RequestId(JsonValue root) {
  std::string id = root.Find("request_id").StringOr();
  if (id.empty()) id = root.Find("id").StringOr();
  return id;
}

bool ReadChoiceErrors(JsonValue root, ErrorWords& out) {
  const JsonValue choices = root.Find("choices");
  for (JsonValue v = choices.First(); v; v = v.Next()) {
    if (!Says(v.Find("error"))) continue;
    ReadErrorMember(v, v.Find("error"), out);
    return true;
  }
  return false;
}

// Errors that are only recognisable because there is no answer beside them.
bool ReadFlat(JsonValue root, ErrorWords& out) {
  if (root.Find("choices").has_value()) return false;
  if (root.Find("detail").has_value()) {
    ReadDetail(root.Find("detail"), out);
    return true;
  }
  const JsonValue message = root.Find("message");
  const bool flat = message.has_value() &&
                    (root.Find("code") || root.Find("object").Equals("error"));
  if (flat) ReadObject(root, out);
  return flat;
}

std::string_view FirstDataLine(std::string_view body) {
  size_t at = body.starts_with("data:") ? 0 : body.find("\ndata:");
  if (at == std::string_view::npos) return {};
  at = body.find(':', at) + 1;
  return body.substr(at, body.find_first_of("\r\n", at) - at);
}

}  // namespace

std::optional<ErrorWords> FindError(JsonValue root) {
  ErrorWords out;
  const JsonValue groq = root.Find("x_groq").Find("error");
  if (Says(root.Find("error"))) {
    ReadErrorMember(root, root.Find("error"), out);
  } else if (Says(groq)) {
    ReadErrorMember(root, groq, out);
  } else if (!ReadBaseResp(root.Find("base_resp"), out) &&
             !ReadChoiceErrors(root, out) && !ReadFlat(root, out)) {
    return std::nullopt;
  }
  out.request_id = RequestId(root);
  return out;
}

ErrorWords ReadErrorBody(std::string_view body) {
  const std::string_view trimmed =
      ToStd(absl::StripAsciiWhitespace(ToAbsl(body)));
  auto doc = JsonDocument::Parse(trimmed);
  if (!doc.ok()) {
    const std::string_view line = FirstDataLine(trimmed);
    if (line.empty()) return {};
    doc = JsonDocument::Parse(line);
    if (!doc.ok()) return {};
  }
  JsonValue root = doc->root();
  // Gemini's compatible endpoint wraps its error in a list.
  if (root.is_array()) root = root.First();
  if (auto words = FindError(root)) return *std::move(words);
  ErrorWords out;
  if (root.is_string()) out.message = root.StringOr();
  if (root.is_object()) {
    ReadObject(root, out);
    out.request_id = RequestId(root);
  }
  return out;
}

}  // namespace llm
