// The same bytes give the same events however they are sliced [STR-1].
#include <optional>

#include "adapters/http/sse_decoder.h"
#include "tests/fuzz/fuzz_check.h"

namespace llm {
namespace {

struct Event {
  std::string name;
  std::string data;
  std::string id;
  bool unterminated = false;
  bool operator==(const Event&) const = default;
};

struct Decoded {
  std::vector<Event> events;
  bool too_long = false;
  int64_t comments = 0;
};

// Pulls what is ready; false once the decoder has given up.
bool Pull(SseDecoder& decoder, Decoded* out) {
  SseEvent event;
  SseStep step = decoder.Next(event);
  for (; step == SseStep::kEvent; step = decoder.Next(event)) {
    out->events.push_back({std::string(event.name), std::string(event.data),
                           std::string(event.id), event.unterminated});
  }
  return step != SseStep::kTooLong;
}

Decoded Decode(std::string_view text, size_t limit, uint8_t seed) {
  SseDecoder decoder(limit);
  Decoded out;
  [[maybe_unused]] bool after_cr = false;
  for (const std::string& piece : fuzz::Cut(text, seed)) {
#ifdef LLM_FUZZ_PLANTED
    // Forgets that a CR ended the last slice.
    if (after_cr && piece.front() == '\n') decoder.Push("\n");
    if (after_cr && piece.front() == '\n') Pull(decoder, &out);
#endif
    after_cr = piece.back() == '\r';
    decoder.Push(piece);
    out.too_long = !Pull(decoder, &out);
    if (out.too_long) return out;
  }
  SseEvent event;
  SseStep step = decoder.Finish(event);
  if (step == SseStep::kEvent) {
    out.events.push_back({std::string(event.name), std::string(event.data),
                          std::string(event.id), event.unterminated});
    step = decoder.Finish(event);
    fuzz::Check(step != SseStep::kEvent, "one event at the end, at most");
  }
  out.too_long = step == SseStep::kTooLong;
  out.comments = decoder.comments();
  return out;
}

}  // namespace
}  // namespace llm

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  llm::fuzz::Input input(data, size);
  const uint8_t seed = input.Byte();
  const uint8_t limit_choice = input.Byte();
  const size_t limit = limit_choice % 4 == 0 ? limit_choice / 4 + 1 : 1 << 20;
  const llm::Decoded whole = llm::Decode(input.rest(), limit, 0);
  for (const uint8_t cut : {seed, uint8_t{32}}) {
    const llm::Decoded sliced = llm::Decode(input.rest(), limit, cut);
    llm::fuzz::Check(sliced.events == whole.events, "the same events");
    llm::fuzz::Check(sliced.too_long == whole.too_long, "the same limit");
    llm::fuzz::Check(whole.too_long || sliced.comments == whole.comments,
                     "the same comments");
  }
  for (const llm::Event& event : whole.events) {
    llm::fuzz::Check(event.data.size() <= limit, "data within the limit");
  }
  return 0;
}
