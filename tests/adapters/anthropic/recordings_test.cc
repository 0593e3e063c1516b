// Replays every recorded anthropic.messages exchange and compares what comes
// out with a reading of the recording that shares no code with the decoder;
// and takes every recorded request into the canonical form and back.
//
// The recordings lie beside the project, or where LLM_SHARED says; without
// them the test says so and ctest counts it as skipped.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "adapters/core/json.h"
#include "router/response_assembler.h"
#include "tests/adapters/anthropic/exchange.h"
#include "tests/adapters/anthropic/native_reader.h"

namespace llm {
namespace {

namespace fs = std::filesystem;

fs::path RecordingFolder() {
  const char* shared = std::getenv("LLM_SHARED");
  const fs::path root = shared != nullptr
                            ? fs::path(shared)
                            : fs::path(LLM_SOURCE_DIR) / "../shared";
  return root / "recordings" / "anthropic.messages";
}

std::vector<fs::path> Recordings() {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(RecordingFolder(), error)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

// What the recording says, read plainly.
struct Expected {
  CollectedChoice choice;
  // Signatures and redacted data, in order.
  std::vector<std::string> proofs;
  // The types of blocks that only Anthropic reads, in order.
  std::vector<std::string> opaque;
  // Cited texts, in order.
  std::vector<std::string> cited;
  std::string stop;
  std::map<std::string, int64_t> usage;
  int64_t compaction_input = 0;
  int64_t compaction_output = 0;
  FailureClass failure = FailureClass::kNone;
};

FailureClass ExpectedFailure(const std::string& name) {
  const std::pair<std::string_view, FailureClass> table[] = {
      {"pai-test-model-name-suggestion", FailureClass::kModelNotFound},
      {"pai-test-anthropic-explicit-effort-xhigh-unsupported",
       FailureClass::kInvalidRequest},
      // Another message inside the first one.
      {"vai-spliced-message-start", FailureClass::kBadAnswer},
  };
  for (const auto& [start, failure] : table) {
    if (name.starts_with(start)) return failure;
  }
  return FailureClass::kNone;
}

void ReadCitations(JsonValue list, Expected& out) {
  for (JsonValue v = list.is_array() ? list.First() : JsonValue(); v;
       v = v.Next()) {
    out.cited.push_back(v.Find("cited_text").StringOr());
  }
}

// True where the block is a call of the client's tools.
bool ReadBlock(JsonValue block, Expected& out) {
  const std::string type = block.Find("type").StringOr();
  if (type == "text") {
    out.choice.text += block.Find("text").StringOr();
    ReadCitations(block.Find("citations"), out);
  } else if (type == "thinking" || type == "redacted_thinking") {
    out.choice.reasoning += block.Find("thinking").StringOr();
    for (const char* name : {"signature", "data"}) {
      const std::string proof = block.Find(name).StringOr();
      if (!proof.empty()) out.proofs.push_back(proof);
    }
  } else if (type == "tool_use") {
    const JsonValue input = block.Find("input");
    out.choice.calls.push_back(
        {block.Find("id").StringOr(), block.Find("name").StringOr(),
         input.size() > 0 ? std::string(input.raw()) : ""});
    return true;
  } else {
    out.opaque.push_back(type);
  }
  return false;
}

void ReadUsage(JsonValue usage, Expected& out) {
  for (const char* name :
       {"input_tokens", "output_tokens", "cache_read_input_tokens",
        "cache_creation_input_tokens"}) {
    if (const auto n = usage.Find(name).AsInt64()) out.usage[name] = *n;
  }
  if (!usage.Find("iterations").is_array()) return;
  out.compaction_input = 0;
  out.compaction_output = 0;
  const JsonValue rounds = usage.Find("iterations");
  for (JsonValue v = rounds.First(); v; v = v.Next()) {
    if (!v.Find("type").Equals("compaction")) continue;
    for (const char* name : {"input_tokens", "cache_read_input_tokens",
                             "cache_creation_input_tokens"}) {
      out.compaction_input += v.Find(name).AsInt64().value_or(0);
    }
    out.compaction_output += v.Find("output_tokens").AsInt64().value_or(0);
  }
}

void ReadStop(JsonValue from, Expected& out) {
  const std::string reason = from.Find("stop_reason").StringOr();
  if (!reason.empty()) out.stop = reason;
  out.choice.refusal +=
      from.Find("stop_details").Find("explanation").StringOr();
}

void ReadMessage(JsonValue message, Expected& out) {
  const JsonValue content = message.Find("content");
  for (JsonValue v = content.First(); v; v = v.Next()) ReadBlock(v, out);
  ReadUsage(message.Find("usage"), out);
  ReadStop(message, out);
}

void ReadEvent(JsonValue event, Expected& out, std::map<int64_t, size_t>& calls,
               std::string& signature) {
  const JsonValue delta = event.Find("delta");
  const int64_t index = event.Find("index").AsInt64().value_or(-1);
  const std::string type = event.Find("type").StringOr();
  if (type == "message_start" && out.usage.empty()) {
    ReadMessage(event.Find("message"), out);
  } else if (type == "content_block_start") {
    const bool call = ReadBlock(event.Find("content_block"), out);
    if (call) calls[index] = out.choice.calls.size() - 1;
  } else if (type == "content_block_delta") {
    out.choice.text += delta.Find("text").StringOr();
    out.choice.reasoning += delta.Find("thinking").StringOr();
    signature += delta.Find("signature").StringOr();
    if (delta.Find("citation").is_object()) {
      out.cited.push_back(delta.Find("citation").Find("cited_text").StringOr());
    }
    if (calls.contains(index)) {
      out.choice.calls[calls[index]].arguments +=
          delta.Find("partial_json").StringOr();
    }
  } else if (type == "content_block_stop" && !signature.empty()) {
    out.proofs.push_back(std::exchange(signature, {}));
  } else if (type == "message_delta") {
    ReadUsage(event.Find("usage"), out);
    ReadStop(delta, out);
  }
}

Expected Read(const std::string& name, JsonValue response) {
  Expected out;
  out.failure = ExpectedFailure(name);
  if (response.Find("body").has_value()) {
    ReadMessage(response.Find("body"), out);
  } else {
    std::map<int64_t, size_t> calls;
    std::string signature;
    std::istringstream lines(response.Find("raw").StringOr());
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("data:")) continue;
      auto doc = JsonDocument::Parse(std::string_view(line).substr(5));
      if (doc.ok()) ReadEvent(doc->root(), out, calls, signature);
    }
  }
  for (CollectedCall& call : out.choice.calls) {
    if (call.arguments.empty()) call.arguments = "{}";
  }
  if (out.stop == "max_tokens") {
    out.choice.finish = "length";
  } else if (out.stop == "refusal") {
    out.choice.finish = "content_filter";
  } else {
    out.choice.finish = out.choice.calls.empty() ? "stop" : "tool_calls";
  }
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

std::string CompareUsage(const Expected& want, const TokenUsage& usage) {
  const auto at = [&](const char* name) {
    const auto found = want.usage.find(name);
    return found == want.usage.end() ? 0 : found->second;
  };
  const int64_t input = at("input_tokens") + at("cache_read_input_tokens") +
                        at("cache_creation_input_tokens") +
                        want.compaction_input;
  for (const auto& bucket :
       {usage.fresh_input, usage.cache_read, usage.cache_write_5m,
        usage.cache_write_1h, usage.output, usage.reasoning}) {
    if (bucket.value_or(0) < 0) return "negative bucket";
  }
  if (usage.TotalInput().value_or(-1) != input) return "input tokens";
  if (usage.output.value_or(-1) != at("output_tokens") + want.compaction_output)
    return "output tokens";
  if (usage.reasoning.value_or(0) > usage.output.value_or(0)) {
    return "more reasoning than output";
  }
  return {};
}

// Proofs, foreign blocks and citations as the chunks carry them.
std::string CompareParts(const Expected& want, const Exchange& got) {
  std::vector<std::string> proofs;
  for (const v1::ChatCompletionChunk& chunk : got.chunks) {
    for (const v1::Part& part : chunk.choices(0).delta().parts()) {
      const v1::ReasoningPart& reasoning = part.reasoning();
      for (const std::string& proof :
           {reasoning.signature(), reasoning.redacted_data()}) {
        if (proof.empty()) continue;
        proofs.push_back(proof);
        if (reasoning.origin() != "anthropic") return "origin";
      }
    }
  }
  if (proofs != want.proofs) return "signatures";
  std::vector<std::string> opaque;
  std::vector<std::string> cited;
  for (const std::string& json : got.choices.at(0).opaque) {
    const auto doc = JsonDocument::Parse(json);
    if (!doc.ok()) return "opaque part is not JSON";
    if (doc->root().Find("type")) {
      opaque.push_back(doc->root().Find("type").StringOr());
    } else {
      const JsonValue list = doc->root().Find("citations");
      for (JsonValue v = list.First(); v; v = v.Next()) {
        cited.push_back(v.Find("cited_text").StringOr());
      }
    }
  }
  if (opaque != want.opaque) return "opaque parts";
  return cited == want.cited ? "" : "citations";
}

// Empty if everything agrees, else what does not.
std::string Compare(const Expected& want, const Exchange& got) {
  if (got.result.failure.failure != want.failure) {
    return "failure is " +
           std::string(FailureClassName(got.result.failure.failure));
  }
  if (want.failure != FailureClass::kNone) return {};
  if (!got.result.status.ok()) return got.result.status.ToString();
  if (got.choices.empty()) return "no choice";
  const CollectedChoice& choice = got.choices.at(0);
  if (choice.text != want.choice.text) return "text: " + choice.text;
  if (choice.reasoning != want.choice.reasoning) {
    return "reasoning: " + choice.reasoning;
  }
  if (choice.refusal != want.choice.refusal) return "refusal";
  if (choice.finish != want.choice.finish) return "finish: " + choice.finish;
  if (choice.finishes != 1) return "finish came more than once";
  if (choice.role != "assistant") return "role: " + choice.role;
  if (choice.calls != want.choice.calls) return "calls: " + got.Line();
  for (const CollectedCall& call : choice.calls) {
    const auto doc = JsonDocument::Parse(call.arguments);
    if (!doc.ok() || !doc->root().is_object()) return "arguments";
  }
  std::string fault = CompareParts(want, got);
  if (fault.empty()) fault = CompareUsage(want, got.result.usage);
  return fault;
}

std::string ReplayAll(const fs::path& path) {
  const std::string text = ReadFile(path);
  const auto doc = JsonDocument::Parse(text);
  if (!doc.ok()) return "recording is not JSON";
  const JsonValue response = doc->root().Find("response");
  const Expected want = Read(path.filename().string(), response);
  for (const Cut& cut : AllCuts()) {
    ExchangeSetting setting;
    setting.cut = cut;
    setting.request.message.add_messages()->set_role("user");
    const Exchange got = RunExchange(ScriptOf(response), setting);
    const std::string fault = Compare(want, got);
    if (!fault.empty()) return fault.substr(0, 300);
  }
  return {};
}

// --- answers that go back

// The block as a request holds it: without what says nothing.
void WriteReturned(JsonValue block, const std::string& text,
                   const std::string& citations, JsonWriter* out) {
  out->BeginObject();
  for (JsonValue v = block.First(); v; v = v.Next()) {
    const bool direct = v.KeyEquals("caller") &&
                        v.Find("type").Equals("direct") &&
                        block.Find("type").Equals("tool_use");
    if (direct || v.KeyEquals("citations")) continue;
    if (v.KeyEquals("text")) {
      out->Member("text", text);
    } else {
      out->MemberRaw(v.Key(), v.raw());
    }
  }
  if (!citations.empty()) out->MemberRaw("citations", "[" + citations + "]");
  out->EndObject();
}

// One block of a stream, put together plainly.
struct Growing {
  std::string start;
  std::map<std::string, std::string> added;
  std::string citations;
};

void WriteGrown(const Growing& from, JsonWriter* out) {
  const auto doc = JsonDocument::Parse(from.start);
  if (!doc.ok()) return;
  const auto added = [&](const std::string& key) {
    const auto found = from.added.find(key);
    return found == from.added.end() ? std::string() : found->second;
  };
  std::string json;
  JsonWriter grown(&json);
  grown.BeginObject();
  for (JsonValue v = doc->root().First(); v; v = v.Next()) {
    const std::string more = added(v.Key());
    const std::string input = added("partial_json");
    if (v.KeyEquals("input") && !input.empty()) {
      grown.MemberRaw("input", input);
    } else if (v.is_string() || !more.empty()) {
      grown.Member(v.Key(), v.StringOr() + more);
    } else {
      grown.MemberRaw(v.Key(), v.raw());
    }
  }
  if (!doc->root().Find("signature") && !added("signature").empty()) {
    grown.Member("signature", added("signature"));
  }
  grown.EndObject();
  const auto block = JsonDocument::Parse(std::string_view(json));
  if (!block.ok()) return;
  WriteReturned(block->root(), block->root().Find("text").StringOr(),
                from.citations, out);
}

// The recorded content as it should go back.
std::string ReturnedContent(JsonValue response) {
  std::map<int64_t, Growing> blocks;
  const JsonValue content = response.Find("body").Find("content");
  for (JsonValue v = content.First(); v; v = v.Next()) {
    Growing& to = blocks[static_cast<int64_t>(blocks.size())];
    to.start = std::string(v.raw());
    const JsonValue list = v.Find("citations");
    for (JsonValue c = list.First(); c; c = c.Next()) {
      to.citations += (to.citations.empty() ? "" : ",") + std::string(c.raw());
    }
  }
  std::istringstream lines(response.Find("raw").StringOr());
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("data:")) continue;
    const auto doc = JsonDocument::Parse(std::string_view(line).substr(5));
    if (!doc.ok()) continue;
    const JsonValue start = doc->root().Find("content_block");
    const JsonValue delta = doc->root().Find("delta");
    const auto index = doc->root().Find("index").AsInt64();
    if (!index) continue;
    Growing& to = blocks[*index];
    if (start) to.start = std::string(start.raw());
    for (JsonValue v = delta.First(); v; v = v.Next()) {
      if (v.is_string() && !v.KeyEquals("type")) {
        to.added[v.Key()] += v.StringOr();
      }
      if (!v.KeyEquals("citation")) continue;
      to.citations += (to.citations.empty() ? "" : ",") + std::string(v.raw());
    }
  }
  std::string out;
  JsonWriter json(&out);
  json.BeginArray();
  for (const auto& [index, block] : blocks) WriteGrown(block, &json);
  json.EndArray();
  return out;
}

// What was answered, put together as a caller gets it and sent again.
std::string SentAgain(const Exchange& got, const std::string& model) {
  ResponseAssembler assembler;
  for (const v1::ChatCompletionChunk& chunk : got.chunks) assembler.Add(chunk);
  ChatRequest request;
  const auto say = [&request](const std::string& text) {
    v1::Message* user = request.message.add_messages();
    user->set_role("user");
    user->add_parts()->mutable_text()->set_text(text);
  };
  say("hi");
  *request.message.add_messages() = assembler.Take().choices(0).message();
  say("go on");
  AttemptContext context;
  context.upstream_model.value = model;
  const auto rendered = anthropic::RenderRequest(request, context);
  const auto doc = JsonDocument::Parse(rendered.body);
  if (!doc.ok()) return "no JSON";
  const JsonValue turn = doc->root().Find("messages").First().Next();
  return std::string(turn.Find("content").raw());
}

std::string GoesBack(const fs::path& path) {
  const std::string text = ReadFile(path);
  const auto doc = JsonDocument::Parse(text);
  const JsonValue response = doc->root().Find("response");
  ExchangeSetting setting;
  // Proofs go back to the model that made them.
  setting.context.upstream_model.value = doc->root().Find("model").StringOr();
  const Exchange got = RunExchange(ScriptOf(response), setting);
  if (!got.result.status.ok()) return {};
  const std::string want = "{\"content\":" + ReturnedContent(response) + "}";
  const std::string back =
      "{\"content\":" + SentAgain(got, doc->root().Find("model").StringOr()) +
      "}";
  const auto before = JsonDocument::Parse(std::string_view(want));
  const auto after = JsonDocument::Parse(std::string_view(back));
  if (!before.ok()) return "no JSON";
  // An empty answer makes no turn.
  if (before->root().Find("content").size() == 0) return {};
  if (!after.ok()) return "no JSON";
  return DifferenceOfBodies(before->root(), after->root());
}

// Requests that do not come out as they went in, and why that is right.
std::string_view KnownDifference(const std::string& name) {
  static constexpr std::pair<std::string_view, std::string_view> kTable[] = {
      {"pai-test-anthropic-model-retrying-after-empty-response",
       "user messages in a row are one turn, as Anthropic makes of them"},
      {"pai-test-anthropic-advisor-tool",
       "it names a second model, for which the caller's key was not asked"},
      {"pai-test-anthropic-explicit-effort-xhigh-unsupported-model-errors",
       "it was a 400, and the nearest level is none"},
  };
  for (const auto& [start, reason] : kTable) {
    if (name.starts_with(start)) return reason;
  }
  return {};
}

std::string RoundTrip(JsonValue body) {
  const ChatRequest request = ReadNativeRequest(body);
  AttemptContext context;
  context.upstream_model.value = request.message.model();
  const anthropic::RenderedRequest rendered =
      anthropic::RenderRequest(request, context);
  if (rendered.refusal) return "refused: " + rendered.refusal->message;
  const auto after = JsonDocument::Parse(rendered.body);
  if (!after.ok()) return "rendered body is not JSON";
  if (!rendered.dropped.empty()) return "dropped " + rendered.dropped[0];
  return DifferenceOfBodies(body, after->root());
}

TEST_CASE("every recorded Anthropic exchange decodes right, however it is cut",
          "[adapters][anthropic][recordings][STR-1][STR-3]") {
  const std::vector<fs::path> files = Recordings();
  if (files.empty()) {
    std::cout << "SKIPPED: no recordings beside the project\n";
    return;
  }
  size_t right = 0;
  for (const fs::path& path : files) {
    const std::string fault = ReplayAll(path);
    if (fault.empty()) ++right;
    if (!fault.empty()) {
      std::cout << path.filename().string() << ": " << fault << "\n";
    }
  }
  std::cout << right << " of " << files.size() << " exchanges wholly right\n";
  CHECK(right == files.size());
}

TEST_CASE("every recorded Anthropic answer goes back as it came",
          "[adapters][anthropic][recordings][TRN-1][TRN-2]") {
  size_t right = 0;
  size_t all = 0;
  for (const fs::path& path : Recordings()) {
    ++all;
    const std::string fault = GoesBack(path);
    if (fault.empty()) {
      ++right;
    } else {
      std::cout << path.filename().string() << ": " << fault << "\n";
    }
  }
  if (all > 0) std::cout << right << " of " << all << " answers go back\n";
  CHECK(right == all);
}

TEST_CASE("every recorded Anthropic request survives the canonical form",
          "[adapters][anthropic][recordings][TRN-1]") {
  size_t right = 0;
  size_t all = 0;
  size_t explained = 0;
  for (const fs::path& path : Recordings()) {
    const std::string text = ReadFile(path);
    const auto doc = JsonDocument::Parse(text);
    REQUIRE(doc.ok());
    const JsonValue body = doc->root().Find("request").Find("body");
    if (!body.is_object()) continue;
    ++all;
    const std::string fault = RoundTrip(body);
    if (fault.empty()) {
      ++right;
      continue;
    }
    const std::string name = path.filename().string();
    const std::string_view reason = KnownDifference(name);
    if (!reason.empty()) ++explained;
    std::cout << name << ": " << fault << (reason.empty() ? "" : " (right: ")
              << reason << (reason.empty() ? "" : ")") << "\n";
  }
  if (all > 0) {
    std::cout << right << " of " << all << " requests without loss\n";
  }
  CHECK(right + explained == all);
}

}  // namespace
}  // namespace llm
