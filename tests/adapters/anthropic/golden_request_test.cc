// One full request, and what each family of models gets of it:
// tests/fixtures/anthropic/full.request.json and full.<model>.txt, checked
// against Anthropic's pages (claude_models.cc). Four lines each: the body, the
// betas, the dropped fields, and the refusal.
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "absl/strings/str_join.h"
#include "tests/adapters/anthropic/exchange.h"

namespace llm {
namespace {

std::string ReadFixture(const std::string& name) {
  std::string path = LLM_SOURCE_DIR "/tests/fixtures/anthropic/";
  path.append(name);
  std::ifstream in(path);
  CHECK(in.good());
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

TEST_CASE("one full request, and what each family of Claude gets of it",
          "[adapters][anthropic][request][TRN-6][TRN-7]") {
  const std::string model =
      GENERATE("claude-sonnet-4-5", "claude-sonnet-4-0", "claude-opus-4-6",
               "claude-opus-5", "claude-fable-5", "claude-3-haiku", "other");
  const auto got = RenderJson(ReadFixture("full.request.json"), {model, {}});
  const std::string text = got.body + "\n" + absl::StrJoin(got.betas, ",") +
                           "\n" + absl::StrJoin(got.dropped, " ") + "\n" +
                           (got.refusal ? got.refusal->param + "\n" : "");
  CAPTURE(model);
  CHECK(text == ReadFixture("full." + model + ".txt"));
}

}  // namespace
}  // namespace llm
