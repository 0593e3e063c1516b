#include "tests/simulator/sim_script.h"

#include <algorithm>
#include <random>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "adapters/core/json.h"
#include "adapters/core/text.h"

namespace llm::simulator {
namespace {

absl::Status Fault(std::string_view key, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(ToAbsl(key), ": ", ToAbsl(what)));
}

absl::StatusOr<std::string> Bytes(JsonValue text, JsonValue base64) {
  if (text.is_string()) return text.StringOr();
  if (text.has_value()) return std::string(text.raw());  // JSON as it is
  std::string out;
  if (base64.is_string() && !absl::Base64Unescape(base64.StringOr(), &out)) {
    return Fault("…_b64", "not base64");
  }
  return out;
}

absl::Status ReadFate(JsonValue root, Script& script) {
  if (const JsonValue word = root.Find("before_head"); word.has_value()) {
    script.before_head = FateNamed(word.StringOr());
    if (script.before_head == Fate::kNone) {
      return Fault("before_head", "close, reset or stall");
    }
  }
  const std::pair<const char*, Fate> kFates[] = {{"close_after", Fate::kClose},
                                                 {"reset_after", Fate::kReset},
                                                 {"stall_after", Fate::kStall}};
  for (const auto& [key, fate] : kFates) {
    const auto after = root.Find(key).AsInt64();
    if (!after.has_value()) continue;
    if (script.fate != Fate::kNone) return Fault(key, "one fate at a time");
    if (*after < 0) return Fault(key, "negative");
    script.fate = fate;
    script.fate_after = static_cast<size_t>(*after);
  }
  return absl::OkStatus();
}

absl::Status ReadPieces(JsonValue pieces, Script& script) {
  for (JsonValue piece = pieces.First(); piece; piece = piece.Next()) {
    const auto size = piece.AsInt64().value_or(0);
    if (size < 1) return Fault("pieces", "sizes are positive integers");
    script.pieces.push_back(static_cast<size_t>(size));
  }
  return absl::OkStatus();
}

absl::Status CheckScriptKeys(JsonValue root) {
  static constexpr std::string_view kKnown[] = {
      "status",      "headers",     "body",          "body_b64",
      "raw",         "raw_b64",     "framing",       "pieces",
      "random_seed", "delay_ms",    "body_delay_ms", "piece_delay_ms",
      "close_after", "reset_after", "stall_after",   "times",
      "before_head"};
  for (JsonValue member = root.First(); member; member = member.Next()) {
    if (std::find(std::begin(kKnown), std::end(kKnown), member.Key()) ==
        std::end(kKnown)) {
      return Fault(member.Key(), "unknown member");
    }
  }
  return absl::OkStatus();
}

std::string Chunk(std::string_view model, std::string_view choices,
                  std::string_view more) {
  return absl::StrCat(
      "data: {\"id\":\"chatcmpl-sim\",\"object\":\"chat.completion.chunk\","
      "\"created\":1767225600,\"model\":",
      JsonQuote(model), ",\"choices\":[", ToAbsl(choices), "]", ToAbsl(more),
      "}\n\n");
}

}  // namespace

Fate FateNamed(std::string_view word) {
  if (word == "close") return Fate::kClose;
  if (word == "reset") return Fate::kReset;
  if (word == "stall") return Fate::kStall;
  return Fate::kNone;
}

absl::StatusOr<Script> ParseScript(std::string_view text) {
  const absl::StatusOr<JsonDocument> doc = JsonDocument::Parse(text);
  if (!doc.ok()) return doc.status();
  const JsonValue root = doc->root();
  if (!root.is_object()) return Fault("script", "not an object");
  if (absl::Status keys = CheckScriptKeys(root); !keys.ok()) return keys;
  Script script;
  script.status = static_cast<int>(root.Find("status").AsInt64().value_or(200));
  const JsonValue headers = root.Find("headers");
  for (JsonValue h = headers.First(); h; h = h.Next()) {
    script.headers.emplace_back(h.Key(), h.StringOr());
  }
  absl::StatusOr<std::string> body =
      Bytes(root.Find("body"), root.Find("body_b64"));
  if (!body.ok()) return body.status();
  script.body = *std::move(body);
  absl::StatusOr<std::string> raw =
      Bytes(root.Find("raw"), root.Find("raw_b64"));
  if (!raw.ok()) return raw.status();
  script.raw = *std::move(raw);
  script.framing = root.Find("framing").StringOr("chunked");
  if (script.framing != "chunked" && script.framing != "length" &&
      script.framing != "close") {
    return Fault("framing", "length, chunked or close");
  }
  script.random_seed =
      static_cast<uint64_t>(root.Find("random_seed").AsInt64().value_or(0));
  script.delay_ms = root.Find("delay_ms").AsInt64().value_or(0);
  script.body_delay_ms = root.Find("body_delay_ms").AsInt64().value_or(0);
  script.piece_delay_ms = root.Find("piece_delay_ms").AsInt64().value_or(0);
  script.times = static_cast<int>(root.Find("times").AsInt64().value_or(1));
  if (absl::Status fate = ReadFate(root, script); !fate.ok()) return fate;
  if (absl::Status pieces = ReadPieces(root.Find("pieces"), script);
      !pieces.ok()) {
    return pieces;
  }
  return script;
}

std::vector<std::string_view> Pieces(const Script& script,
                                     std::string_view body) {
  std::vector<std::string_view> out;
  std::mt19937_64 random(script.random_seed);
  size_t index = 0;
  while (!body.empty()) {
    size_t size = body.size();
    if (script.random_seed != 0) {
      size = 1 + random() % 64;
    } else if (!script.pieces.empty()) {
      size = script.pieces[std::min(index++, script.pieces.size() - 1)];
    }
    size = std::min(size, body.size());
    out.push_back(body.substr(0, size));
    body.remove_prefix(size);
  }
  return out;
}

Script MakeDefaultAnswer(const DefaultAnswer& options, std::string_view model,
                         bool stream) {
  Script script;
  const std::string text(static_cast<size_t>(options.chars), 'a');
  const std::string usage =
      "\"usage\":{\"prompt_tokens\":400,\"completion_tokens\":175,"
      "\"total_tokens\":575,\"prompt_tokens_details\":{\"cached_tokens\":0}}";
  if (!stream) {
    script.headers = {{"content-type", "application/json"}};
    script.framing = "length";
    script.body = absl::StrCat(
        "{\"id\":\"chatcmpl-sim\",\"object\":\"chat.completion\",\"created\":"
        "1767225600,\"model\":",
        JsonQuote(model),
        ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
        "\"content\":\"",
        text, "\"},\"finish_reason\":\"stop\"}],", usage, "}");
    return script;
  }
  script.headers = {{"content-type", "text/event-stream"}};
  script.piece_delay_ms = options.interval_ms;
  const auto add = [&script](std::string event) {
    script.pieces.push_back(event.size());
    script.body += event;
  };
  add(Chunk(model,
            "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}",
            ""));
  const size_t share = std::max<size_t>(
      text.size() / static_cast<size_t>(std::max(options.deltas, 1)), 1);
  for (int i = 0; i < options.deltas; ++i) {
    add(Chunk(model,
              absl::StrCat("{\"index\":0,\"delta\":{\"content\":\"",
                           options.stamp ? ToAbsl(kStamp) : "",
                           text.substr(0, share), "\"}}"),
              ""));
  }
  add(Chunk(model, "{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}",
            "") +
      Chunk(model, "", absl::StrCat(",", usage)) + "data: [DONE]\n\n");
  return script;
}

}  // namespace llm::simulator
