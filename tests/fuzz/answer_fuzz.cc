// An OpenAI-like server may answer anything.
#include "adapters/openai/openai_decoder.h"
#include "tests/fuzz/answer_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  llm::fuzz::Input input(data, size);
  const uint8_t flags = input.Byte();
  const uint8_t seed = input.Byte();
  llm::fuzz::CheckAnswer(
      [] {
        return std::make_unique<llm::openai::OpenAiDecoder>("openai", "seed");
      },
      input.rest(), flags, seed);
  return 0;
}
