// Replays every recorded generateContent exchange and compares what comes out
// with a reading of the recording that shares no code with the decoder.
//
// Without recordings the test says so and ctest counts it as skipped.
#include "tests/adapters/gemini/recordings.h"

#include <catch2/catch.hpp>
#include <iostream>
#include <map>

#include "adapters/core/json.h"
#include "tests/adapters/gemini/exchange.h"

namespace llm {
namespace {

namespace fs = std::filesystem;

// What the recording says, read plainly.
struct Expected {
  CollectedChoice choice;
  std::vector<std::string> signatures;
  // Arguments in pieces: per call, path and value in order.
  std::vector<std::vector<std::pair<std::string, std::string>>> pieces;
  // usageMetadata, the last value above zero per field.
  std::map<std::string, int64_t> usage;
  // Some field is older than the last total, which then counts less.
  bool carried = false;
  FailureClass failure = FailureClass::kNone;
};

FailureClass ExpectedFailure(JsonValue response) {
  switch (response.Find("status").AsInt64().value_or(0)) {
    case 200:
      return FailureClass::kNone;
    case 404:
      return FailureClass::kModelNotFound;
    case 429:
      return FailureClass::kRateLimited;
    default:
      return FailureClass::kInvalidRequest;
  }
}

void ReadCall(JsonValue call, Expected& out) {
  std::vector<CollectedCall>& calls = out.choice.calls;
  const std::string name = call.Find("name").StringOr();
  if (!name.empty()) {
    calls.push_back({call.Find("id").StringOr(), name,
                     call.Find("args") ? std::string(call.Find("args").raw())
                                       : std::string("{}")});
    out.pieces.emplace_back();
  }
  for (JsonValue p = call.Find("partialArgs").First(); p; p = p.Next()) {
    auto& list = out.pieces.back();
    const std::string path = p.Find("jsonPath").StringOr();
    if (list.empty() || list.back().first != path) list.emplace_back(path, "");
    list.back().second += p.Find("stringValue").StringOr();
  }
}

void ReadPart(JsonValue part, Expected& out) {
  const std::string signature = part.Find("thoughtSignature").StringOr();
  if (!signature.empty()) out.signatures.push_back(signature);
  if (part.Find("functionCall"))
    return ReadCall(part.Find("functionCall"), out);
  if (part.Find("text")) {
    (part.Find("thought") ? out.choice.reasoning : out.choice.text) +=
        part.Find("text").StringOr();
    return;
  }
  for (const char* name :
       {"executableCode", "codeExecutionResult", "toolCall", "toolResponse"}) {
    if (part.Find(name)) out.choice.opaque.emplace_back(part.raw());
  }
}

void ReadDocument(JsonValue root, Expected& out) {
  const JsonValue candidate = root.Find("candidates").First();
  JsonValue parts = candidate.Find("content").Find("parts");
  for (JsonValue v = parts.First(); v; v = v.Next()) ReadPart(v, out);
  const std::string finish = candidate.Find("finishReason").StringOr();
  if (!finish.empty()) out.choice.native_finish = finish;
  const std::string block =
      root.Find("promptFeedback").Find("blockReason").StringOr();
  if (!block.empty()) out.choice.native_finish = block;
  const JsonValue usage = root.Find("usageMetadata");
  if (usage.Find("totalTokenCount")) {
    out.carried = false;
    for (const auto& [name, count] : out.usage) {
      out.carried = out.carried || !usage.Find(name);
    }
  }
  for (JsonValue v = usage.First(); v; v = v.Next()) {
    const int64_t count = v.AsInt64().value_or(0);
    if (count > 0) out.usage[v.Key()] = count;
  }
}

void Finish(Expected& out) {
  const std::string& word = out.choice.native_finish;
  out.choice.finish = word == "MAX_TOKENS"       ? "length"
                      : word == "MODEL_ARMOR"    ? "content_filter"
                      : out.choice.calls.empty() ? "stop"
                                                 : "tool_calls";
}

Expected Read(JsonValue response) {
  Expected out;
  out.failure = ExpectedFailure(response);
  if (response.Find("body").has_value()) {
    ReadDocument(response.Find("body"), out);
  } else {
    std::istringstream lines(response.Find("raw").StringOr());
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("data:")) continue;
      auto doc = JsonDocument::Parse(std::string_view(line).substr(5));
      if (doc.ok()) ReadDocument(doc->root(), out);
    }
  }
  Finish(out);
  return out;
}

ScriptedTransport::Script ScriptOf(JsonValue response) {
  ScriptedTransport::Script script;
  script.status =
      static_cast<int>(response.Find("status").AsInt64().value_or(0));
  script.headers = {{"content-type",
                     response.Find("headers").Find("content-type").StringOr()}};
  const JsonValue body = response.Find("body");
  script.body = body.has_value() ? std::string(body.raw())
                                 : response.Find("raw").StringOr();
  return script;
}

// The leaves of some JSON in order, as "$.a.b[0]" and text.
void Leaves(JsonValue value, const std::string& path,
            std::vector<std::pair<std::string, std::string>>& out) {
  if (value.is_string()) out.emplace_back(path, value.StringOr());
  int at = 0;
  for (JsonValue v = value.First(); v; v = v.Next(), ++at) {
    Leaves(v,
           value.is_array() ? path + "[" + std::to_string(at) + "]"
                            : path + "." + v.Key(),
           out);
  }
}

std::string CompareCalls(const Expected& want, const CollectedChoice& got) {
  if (got.calls.size() != want.choice.calls.size()) return "call count";
  for (size_t i = 0; i < got.calls.size(); ++i) {
    CollectedCall expected = want.choice.calls[i];
    if (expected.id.empty()) expected.id = got.calls[i].id;
    if (got.calls[i].id.empty()) return "call id";
    const auto doc = JsonDocument::Parse(got.calls[i].arguments);
    if (!doc.ok() || !doc->root().is_object()) return "arguments no object";
    if (!want.pieces[i].empty()) {
      std::vector<std::pair<std::string, std::string>> leaves;
      Leaves(doc->root(), "$", leaves);
      if (leaves != want.pieces[i]) return "pieces: " + got.calls[i].arguments;
      expected.arguments = got.calls[i].arguments;
    }
    if (got.calls[i] != expected) return "call: " + got.calls[i].arguments;
    for (size_t j = 0; j < i; ++j) {
      if (got.calls[j].id == got.calls[i].id) return "an id twice";
    }
  }
  return {};
}

std::string CompareUsage(const Expected& want, const Exchange& got) {
  const auto count = [&want](const std::string& name) {
    const auto it = want.usage.find(name);
    return it == want.usage.end() ? 0 : it->second;
  };
  const TokenUsage& usage = got.result.usage;
  const int64_t input =
      count("promptTokenCount") + count("toolUsePromptTokenCount");
  const int64_t output =
      count("candidatesTokenCount") + count("thoughtsTokenCount");
  if (usage.TotalInput().value_or(0) != input) return "input tokens";
  if (usage.output.value_or(0) != output) return "output tokens";
  if (usage.cache_read.value_or(0) != count("cachedContentTokenCount")) {
    return "cached tokens";
  }
  if (usage.reasoning.value_or(0) != count("thoughtsTokenCount")) {
    return "reasoning tokens";
  }
  if (!want.carried && count("totalTokenCount") != 0 &&
      count("totalTokenCount") != input + output) {
    return "total tokens";
  }
  const int64_t fresh = usage.fresh_input.value_or(0);
  const int64_t kinds = usage.audio_input.value_or(0) +
                        usage.image_input.value_or(0) +
                        usage.video_input.value_or(0);
  return fresh < 0 || kinds > fresh ? "kinds of input" : "";
}

std::vector<std::string> Signatures(const Exchange& got) {
  std::vector<std::string> out;
  for (const v1::ChatCompletionChunk& chunk : got.chunks) {
    for (const v1::Part& part : chunk.choices(0).delta().parts()) {
      std::string one = part.text().signature() + part.reasoning().signature() +
                        part.tool_call().signature();
      if (part.has_opaque()) {
        const auto doc = JsonDocument::Parse(part.opaque().json());
        one = doc->root().Find("thoughtSignature").StringOr();
      }
      if (part.has_media()) one = "in the note beside it";
      if (!one.empty()) out.push_back(one);
    }
  }
  return out;
}

// Empty if everything agrees, else what does not.
std::string Compare(const Expected& want, const Exchange& got) {
  if (got.result.failure.failure != want.failure) {
    return "failure is " +
           std::string(FailureClassName(got.result.failure.failure));
  }
  if (want.failure != FailureClass::kNone) return {};
  if (!got.result.status.ok()) return got.result.status.ToString();
  if (got.choices.size() != 1) return "not one choice";
  const CollectedChoice& choice = got.choices.at(0);
  if (choice.text != want.choice.text) return "text: " + choice.text;
  if (choice.reasoning != want.choice.reasoning) {
    return "reasoning: " + choice.reasoning;
  }
  if (choice.finish != want.choice.finish) return "finish: " + choice.finish;
  if (choice.native_finish != want.choice.native_finish) return "native finish";
  if (choice.finishes != 1) return "finish came more than once";
  if (choice.role != "assistant") return "role: " + choice.role;
  if (choice.opaque != want.choice.opaque) return "opaque parts";
  if (Signatures(got) != want.signatures) return "signatures";
  const std::string calls = CompareCalls(want, choice);
  return calls.empty() ? CompareUsage(want, got) : calls;
}

std::string ReplayAll(const fs::path& path) {
  const std::string text = ReadFile(path);
  const auto doc = JsonDocument::Parse(text);
  if (!doc.ok()) return "recording is not JSON";
  const JsonValue response = doc->root().Find("response");
  const Expected want = Read(response);
  for (const Cut& cut : AllCuts()) {
    ExchangeSetting setting;
    setting.cut = cut;
    const Exchange got = RunExchange(ScriptOf(response), setting);
    const std::string fault = Compare(want, got);
    if (!fault.empty()) return fault.substr(0, 200);
  }
  return {};
}

TEST_CASE("every recorded exchange decodes right, however it is cut",
          "[adapters][gemini][recordings][STR-1][STR-3]") {
  const std::vector<fs::path> files = GeminiRecordings();
  if (files.empty()) {
    std::cout << "SKIPPED: no recordings beside the project\n";
    return;
  }
  size_t right = 0;
  for (const fs::path& path : files) {
    const std::string fault = ReplayAll(path);
    if (fault.empty()) {
      ++right;
    } else {
      std::cout << path.filename().string() << ": " << fault << "\n";
    }
  }
  std::cout << right << " of " << files.size() << " exchanges wholly right\n";
  CHECK(right == files.size());
}

}  // namespace
}  // namespace llm
