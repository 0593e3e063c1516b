// One scripted exchange through any dialect's provider.
#ifndef LLM_TESTS_ADAPTERS_CONTRACT_CONTRACT_EXCHANGE_H_
#define LLM_TESTS_ADAPTERS_CONTRACT_CONTRACT_EXCHANGE_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adapters/registry.h"
#include "tests/adapters/contract/samples.h"
#include "tests/support/event_recorder.h"
#include "tests/support/fake_clock.h"
#include "tests/support/run_task.h"
#include "tests/support/scripted_transport.h"

namespace llm {

struct Played {
  AttemptResult result;
  std::vector<v1::ChatCompletionChunk> chunks;
  std::map<int, CollectedChoice> choices;
  std::vector<HttpRequest> requests;

  // The first choice in one line, but for the provider's own finish word.
  std::string Line() const {
    if (choices.empty()) return "";
    CollectedChoice choice = choices.begin()->second;
    choice.native_finish.clear();
    return Describe(choice);
  }
};

// Where a provider of the dialect is, and what is asked of it.
struct Target {
  std::string dialect;
  std::string profile = {};
  std::string base_url;
  std::string model;
  ModelTraits traits = {};
};

struct Playing {
  Cut cut = {};
  ChatRequest request = {};
  absl::Status sink_answer = absl::OkStatus();
  bool stream = true;
  bool strict = false;
};

Target TargetOf(const DialectSample& sample);

Played Play(const Target& target, ScriptedTransport::Script script,
            const Playing& how);

// A request of one user text.
ChatRequest PlainQuestion();

std::vector<Cut> EveryCut();

}  // namespace llm

#endif  // LLM_TESTS_ADAPTERS_CONTRACT_CONTRACT_EXCHANGE_H_
