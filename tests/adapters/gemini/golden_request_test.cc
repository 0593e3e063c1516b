// One full request, and what each family gets of it: tests/fixtures/gemini/
// full.request.json and full.<model>.txt, checked against gemini.md. Two
// lines each: the body, then the dropped fields.
#include <fstream>
#include <sstream>

#include "tests/adapters/gemini/gemini_request.h"

namespace llm::gemini {
namespace {

std::string ReadFixture(const std::string& name) {
  std::ifstream in(LLM_SOURCE_DIR "/tests/fixtures/gemini/" + name);
  REQUIRE(in.good());
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

TEST_CASE("one full request, and what each family gets of it",
          "[adapters][gemini][request][TRN-6][TRN-7]") {
  const std::string model =
      GENERATE("gemini-1.5-pro", "gemini-2.5-pro", "gemini-3-flash-preview",
               "gemma-3-27b-it");
  const RenderedRequest got =
      Render(Parse(ReadFixture("full.request.json")), {.model = model});
  CHECK_FALSE(got.refusal);
  std::string text = got.body + "\n";
  for (const std::string& name : got.dropped) text += name + " ";
  text += "\n";
  CAPTURE(model);
  CHECK(text == ReadFixture("full." + model + ".txt"));
}

}  // namespace
}  // namespace llm::gemini
