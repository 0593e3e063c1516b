// Google may answer anything: the verdict does not depend on how the network
// cut it, usage is a sane record, ids are told apart, every call's arguments
// are one JSON object, and there is one end.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <map>

#include "adapters/core/json.h"
#include "adapters/dialect/answer_reader.h"
#include "adapters/gemini/gemini_decoder.h"
#include "tests/fuzz/fuzz_check.h"

namespace llm {
namespace {

class Chunks : public EventSink {
 public:
  Task<absl::Status> Write(v1::ChatCompletionChunk&& chunk) override {
    list.push_back(std::move(chunk));
    co_return absl::OkStatus();
  }
  std::vector<v1::ChatCompletionChunk> list;
};

struct Answer {
  AnswerFacts facts;
  bool failed = false;
  std::vector<v1::ChatCompletionChunk> chunks;
};

Task<void> Feed(const std::vector<std::string>& pieces, bool clean,
                AnswerReader* reader) {
  for (const std::string& piece : pieces) {
    const auto progress = co_await reader->OnBody(piece);
    if (!progress.ok()) co_return;
    if (*progress == BodyProgress::kEnd) break;
  }
  (void)co_await reader->Finish(clean);
}

Answer Read(std::string_view text, uint8_t flags, uint8_t seed) {
  gemini::GeminiDecoder decoder("gemini-x", "seed");
  Chunks sink;
  AnswerReader reader(decoder, sink);
  reader.OnHead(200, {{"content-type", (flags & 1) != 0 ? "text/event-stream"
                                                        : "application/json"}});
  boost::asio::io_context loop;
  const std::vector<std::string> pieces = fuzz::Cut(text, seed);
  bool done = false;
  boost::asio::co_spawn(loop, Feed(pieces, (flags & 2) != 0, &reader),
                        [&](std::exception_ptr error) {
                          fuzz::Check(error == nullptr, "nothing is thrown");
                          done = true;
                        });
  loop.run();
  fuzz::Check(done, "the reader ends");
  return {decoder.facts(), decoder.failed(), std::move(sink.list)};
}

void CheckUsage(TokenUsage usage) {
#ifdef LLM_FUZZ_PLANTED
  // Takes the cached part for a part beside the prompt.
  if (usage.fresh_input && usage.cache_read) {
    *usage.fresh_input -= *usage.cache_read;
  }
#endif
  int64_t sum = 0;
  for (const auto& count : {usage.fresh_input, usage.cache_read,
                            usage.cache_write_5m, usage.cache_write_1h}) {
    fuzz::Check(count.value_or(0) >= 0, "no negative bucket");
    sum += count.value_or(0);
  }
  fuzz::Check(usage.TotalInput().value_or(0) == sum,
              "buckets are the whole prompt");
  const int64_t output = usage.output.value_or(0);
  fuzz::Check(output >= 0, "no negative output");
  for (const auto& part : {usage.reasoning, usage.audio_output}) {
    fuzz::Check(part.value_or(0) >= 0, "no negative part");
    fuzz::Check(part.value_or(0) <= output, "a part of the output");
  }
  int64_t kinds = 0;
  for (const auto& part :
       {usage.audio_input, usage.image_input, usage.video_input}) {
    fuzz::Check(part.value_or(0) >= 0, "no negative kind");
    kinds += part.value_or(0);
  }
  fuzz::Check(kinds <= usage.fresh_input.value_or(0),
              "kinds are parts of the fresh input");
  fuzz::Check(
      usage.audio_cache_read.value_or(0) + usage.image_cache_read.value_or(0) <=
          usage.cache_read.value_or(0),
      "cached sound and pictures are parts of the cached");
}

void CheckChunks(const Answer& answer) {
  std::map<int, int> ends;
  // Ids and arguments by choice and index.
  std::map<std::pair<int, int>, std::string> ids;
  std::map<std::pair<int, int>, std::string> arguments;
  for (const v1::ChatCompletionChunk& chunk : answer.chunks) {
    for (const v1::ChunkChoice& choice : chunk.choices()) {
      fuzz::Check(choice.index() >= 0 && choice.index() < 128, "an index");
      fuzz::Check(ends[choice.index()] == 0, "nothing after the end");
      for (const v1::Part& part : choice.delta().parts()) {
        if (!part.has_tool_call()) continue;
        const v1::ToolCall& call = part.tool_call();
        const std::pair<int, int> at{choice.index(), call.index()};
        fuzz::Check(call.id().empty() || ids[at].empty(), "an id comes once");
        if (!call.id().empty()) ids[at] = call.id();
        arguments[at] += call.function().arguments();
      }
      if (!choice.finish_reason().empty()) ++ends[choice.index()];
    }
  }
  if (answer.failed || !answer.facts.complete) return;
  fuzz::Check(!ends.empty(), "an answer has a choice");
  for (const auto& [index, ended] : ends) {
    fuzz::Check(ended == 1, "every choice ends, once");
  }
  for (const auto& [at, text] : arguments) {
    fuzz::Check(!ids[at].empty(), "every call has an id");
    const auto doc = JsonDocument::Parse(text);
    fuzz::Check(doc.ok() && doc->root().is_object(),
                "arguments are one JSON object");
  }
}

std::string Text(const std::vector<v1::ChatCompletionChunk>& chunks) {
  std::string text;
  for (const auto& chunk : chunks) text += chunk.SerializeAsString() + "\n";
  return text;
}

void CheckSame(const Answer& a, const Answer& b) {
  fuzz::Check(a.facts.failure == b.facts.failure, "the same failure");
  fuzz::Check(a.facts.complete == b.facts.complete, "the same end");
  fuzz::Check(a.facts.usage == b.facts.usage, "the same usage");
  fuzz::Check(a.facts.output_chars == b.facts.output_chars, "the same count");
  fuzz::Check(Text(a.chunks) == Text(b.chunks), "the same chunks");
}

}  // namespace
}  // namespace llm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  llm::fuzz::Input input(data, size);
  const uint8_t flags = input.Byte();
  const uint8_t seed = input.Byte();
  const llm::Answer whole = llm::Read(input.rest(), flags, 0);
  llm::CheckSame(whole, llm::Read(input.rest(), flags, seed));
  if (whole.facts.usage) llm::CheckUsage(*whole.facts.usage);
  llm::CheckChunks(whole);
  // A transfer that broke off is the transport's failure.
  llm::fuzz::Check((flags & 2) == 0 || whole.failed || whole.facts.complete,
                   "a success is complete");
  return 0;
}
