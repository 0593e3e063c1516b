// A provider may answer anything: the reader's verdict does not depend on how
// the network cut it, usage is a sane record, and there is one end.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <map>

#include "adapters/dialect/answer_reader.h"
#include "router/stream_shaper.h"
#include "tests/fuzz/fuzz_check.h"

namespace llm {
namespace {

class Chunks : public EventSink {
 public:
  Task<absl::Status> Write(v1::ChatCompletionChunk chunk) override {
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
    // The transfer ends here, as it was meant to.
    if (*progress == BodyProgress::kEnd) break;
  }
  (void)co_await reader->Finish(clean);
}

Answer Read(std::string_view text, uint8_t flags, uint8_t seed) {
  openai::OpenAiDecoder decoder("openai", "seed");
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
  // Takes the cached part for a part of a prompt that leaves it out.
  if (usage.fresh_input && usage.cache_read) {
    *usage.fresh_input -= *usage.cache_read;
  }
#endif
  const auto input = usage.TotalInput();
  int64_t sum = 0;
  for (const auto& count : {usage.fresh_input, usage.cache_read,
                            usage.cache_write_5m, usage.cache_write_1h}) {
    fuzz::Check(count.value_or(0) >= 0, "no negative bucket");
    sum += count.value_or(0);
  }
  fuzz::Check(input.value_or(0) == sum, "buckets are the whole prompt");
  const int64_t output = usage.output.value_or(0);
  fuzz::Check(output >= 0, "no negative output");
  for (const auto& part : {usage.reasoning, usage.audio_output}) {
    fuzz::Check(part.value_or(0) >= 0, "no negative part");
    fuzz::Check(part.value_or(0) <= output, "a part of the output");
  }
  const int64_t fresh = usage.fresh_input.value_or(0);
  for (const auto& part :
       {usage.audio_input, usage.image_input, usage.video_input}) {
    fuzz::Check(part.value_or(0) >= 0 && part.value_or(0) <= fresh,
                "a part of the fresh input");
  }
  fuzz::Check(!usage.reported_cost.starts_with('-'), "no negative charge");
}

// As the caller gets it: one end per choice, and nothing after it.
class Caller : public ChunkSink {
 public:
  Task<absl::Status> Write(v1::ChatCompletionChunk chunk) override {
    for (const v1::ChunkChoice& choice : chunk.choices()) {
      fuzz::Check(choice.index() >= 0 && choice.index() < 128, "an index");
      int& ended = ends[choice.index()];
      fuzz::Check(ended == 0, "nothing after the end");
      if (!choice.finish_reason().empty()) ++ended;
    }
    co_return absl::OkStatus();
  }
  std::map<int, int> ends;
};

Task<void> Shape(std::vector<v1::ChatCompletionChunk> chunks, Caller* caller) {
  StreamShaper shaper("id", 1, false, *caller);
  for (v1::ChatCompletionChunk& chunk : chunks) {
    (void)co_await shaper.Write(std::move(chunk));
  }
  (void)co_await shaper.Finish({}, std::nullopt);
}

void CheckEnds(const Answer& answer) {
  if (answer.failed || !answer.facts.complete) return;
  Caller caller;
  boost::asio::io_context loop;
  boost::asio::co_spawn(loop, Shape(answer.chunks, &caller),
                        [](std::exception_ptr error) {
                          fuzz::Check(error == nullptr, "nothing is thrown");
                        });
  loop.run();
  fuzz::Check(!caller.ends.empty(), "an answer has a choice");
  for (const auto& [index, ended] : caller.ends) {
    fuzz::Check(ended == 1, "every choice ends, once");
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
  llm::CheckEnds(whole);
  // A transfer that broke off is the transport's failure.
  llm::fuzz::Check((flags & 2) == 0 || whole.failed || whole.facts.complete,
                   "a success is complete");
  return 0;
}
