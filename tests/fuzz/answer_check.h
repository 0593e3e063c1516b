// What holds of every dialect's reader: its verdict does not depend on how the
// network cut the answer, usage is a sane record, and there is one end.
#ifndef LLM_TESTS_FUZZ_ANSWER_CHECK_H_
#define LLM_TESTS_FUZZ_ANSWER_CHECK_H_

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/dialect/answer_reader.h"
#include "router/stream_shaper.h"
#include "tests/fuzz/fuzz_check.h"

namespace llm::fuzz {

using MakeDecoder = std::function<std::unique_ptr<AnswerDecoder>()>;

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

inline Task<void> Feed(const std::vector<std::string>& pieces, bool clean,
                       AnswerReader* reader) {
  for (const std::string& piece : pieces) {
    const auto progress = co_await reader->OnBody(piece);
    if (!progress.ok()) co_return;
    // The transfer ends here, as it was meant to.
    if (*progress == BodyProgress::kEnd) break;
  }
  (void)co_await reader->Finish(clean);
}

inline Answer Read(const MakeDecoder& make, std::string_view text,
                   uint8_t flags, uint8_t seed) {
  const std::unique_ptr<AnswerDecoder> decoder = make();
  Chunks sink;
  AnswerReader reader(*decoder, sink);
  reader.OnHead(200, {{"content-type", (flags & 1) != 0 ? "text/event-stream"
                                                        : "application/json"}});
  boost::asio::io_context loop;
  const std::vector<std::string> pieces = Cut(text, seed);
  bool done = false;
  boost::asio::co_spawn(loop, Feed(pieces, (flags & 2) != 0, &reader),
                        [&](std::exception_ptr error) {
                          Check(error == nullptr, "nothing is thrown");
                          done = true;
                        });
  loop.run();
  Check(done, "the reader ends");
  return {decoder->facts(), decoder->failed(), std::move(sink.list)};
}

inline void CheckUsage(TokenUsage usage) {
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
    Check(count.value_or(0) >= 0, "no negative bucket");
    sum += count.value_or(0);
  }
  Check(input.value_or(0) == sum, "buckets are the whole prompt");
  const int64_t output = usage.output.value_or(0);
  Check(output >= 0, "no negative output");
  for (const auto& part : {usage.reasoning, usage.audio_output}) {
    Check(part.value_or(0) >= 0, "no negative part");
    Check(part.value_or(0) <= output, "a part of the output");
  }
  const int64_t fresh = usage.fresh_input.value_or(0);
  for (const auto& part :
       {usage.audio_input, usage.image_input, usage.video_input}) {
    Check(part.value_or(0) >= 0 && part.value_or(0) <= fresh,
          "a part of the fresh input");
  }
  Check(!usage.reported_cost.starts_with('-'), "no negative charge");
}

// As the caller gets it: one end per choice, and nothing after it.
class Caller : public ChunkSink {
 public:
  Task<absl::Status> Write(v1::ChatCompletionChunk&& chunk) override {
    for (const v1::ChunkChoice& choice : chunk.choices()) {
      Check(choice.index() >= 0 && choice.index() < 128, "an index");
      int& ended = ends[choice.index()];
      Check(ended == 0, "nothing after the end");
      if (!choice.finish_reason().empty()) ++ended;
    }
    co_return absl::OkStatus();
  }
  std::map<int, int> ends;
};

inline Task<void> Shape(std::vector<v1::ChatCompletionChunk> chunks,
                        Caller* caller) {
  StreamShaper shaper("id", 1, false, *caller);
  for (v1::ChatCompletionChunk& chunk : chunks) {
    (void)co_await shaper.Write(std::move(chunk));
  }
  (void)co_await shaper.Finish({}, std::nullopt);
}

inline void CheckEnds(const Answer& answer) {
  if (answer.failed || !answer.facts.complete) return;
  Caller caller;
  boost::asio::io_context loop;
  boost::asio::co_spawn(loop, Shape(answer.chunks, &caller),
                        [](std::exception_ptr error) {
                          Check(error == nullptr, "nothing is thrown");
                        });
  loop.run();
  Check(!caller.ends.empty(), "an answer has a choice");
  for (const auto& [index, ended] : caller.ends) {
    Check(ended == 1, "every choice ends, once");
  }
}

inline std::string Text(const std::vector<v1::ChatCompletionChunk>& chunks) {
  std::string text;
  for (const auto& chunk : chunks) text += chunk.SerializeAsString() + "\n";
  return text;
}

inline void CheckSame(const Answer& a, const Answer& b) {
  Check(a.facts.failure == b.facts.failure, "the same failure");
  Check(a.facts.complete == b.facts.complete, "the same end");
  Check(a.facts.usage == b.facts.usage, "the same usage");
  Check(a.facts.output_chars == b.facts.output_chars, "the same count");
  Check(Text(a.chunks) == Text(b.chunks), "the same chunks");
}

// `flags`: 1 an event stream by its head, 2 the body ended as it should.
inline void CheckAnswer(const MakeDecoder& make, std::string_view text,
                        uint8_t flags, uint8_t seed) {
  const Answer whole = Read(make, text, flags, 0);
  CheckSame(whole, Read(make, text, flags, seed));
  if (whole.facts.usage) CheckUsage(*whole.facts.usage);
  CheckEnds(whole);
  // A transfer that broke off is the transport's failure.
  Check((flags & 2) == 0 || whole.failed || whole.facts.complete,
        "a success is complete");
}

}  // namespace llm::fuzz

#endif  // LLM_TESTS_FUZZ_ANSWER_CHECK_H_
