#include "analysis.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "llm_service/messages.h"
#include "market_tools.h"

namespace {

using llm::client::CallOptions;
using llm::v1::ChatCompletionChunk;
using llm::v1::ChatCompletionRequest;

// A model that only ever asks for tools must come to an end.
constexpr int kMostTurns = 8;

ChatCompletionRequest FirstRequest(const std::string& symbol,
                                   const std::string& model) {
  ChatCompletionRequest request;
  request.set_model(model);
  llm::client::AddMessage(
      "system",
      "You are an equity analyst. Get the price and the fundamentals with "
      "your tools, then write a short report that ends in BUY, HOLD or SELL.",
      &request);
  llm::client::AddMessage("user", absl::StrCat("Analyse ", symbol, "."),
                          &request);
  OfferTools(&request);
  return request;
}

CallOptions OptionsFor(const std::string& symbol,
                       const AnalysisOptions& analysis) {
  CallOptions call;
  // A moment, not a span: every turn has what the earlier ones left.
  call.deadline = absl::Now() + analysis.deadline;
  call.cancel = analysis.cancel;
  call.tags.run_id = analysis.run_id;
  call.tags.agent = "equity_analyst";
  call.tags.symbol = symbol;
  return call;
}

// A good status says that the stream ended well, not that the model did: it may
// have run into its output limit or a filter, in a tool's arguments too.
absl::Status CheckWhole(const llm::v1::ChatCompletionResponse& answer) {
  const std::string& reason = llm::client::FinishReason(answer);
  const bool calls = !llm::client::ToolCalls(answer).empty();
  if (reason != "stop" && !(calls && reason == "tool_calls")) {
    return absl::DataLossError(
        absl::StrCat("the answer is not whole: finish reason '", reason, "'"));
  }
  if (!calls && llm::client::AnswerText(answer).empty()) {
    return absl::DataLossError("the report is empty");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Report> Analyse(
    const llm::client::Client& client, const std::string& symbol,
    const AnalysisOptions& options,
    const std::function<void(const std::string&)>& on_text) {
  ChatCompletionRequest request = FirstRequest(symbol, options.model);
  const CallOptions call = OptionsFor(symbol, options);
  Report report;
  while (report.turns < kMostTurns) {
    ++report.turns;
    // Every turn is a stream: whether it is the report is known by its end.
    const auto answer = client.StreamChat(
        request,
        [&](const ChatCompletionChunk& chunk) {
          const std::string text = llm::client::ChunkText(chunk);
          if (!text.empty()) on_text(text);
          return absl::OkStatus();
        },
        call);
    if (!answer.ok()) return answer.status();
    report.tokens += answer->usage().total_tokens();
    const absl::Status whole = CheckWhole(*answer);
    if (!whole.ok()) return whole;
    const auto calls = llm::client::ToolCalls(*answer);
    if (calls.empty()) {
      report.text = llm::client::AnswerText(*answer);
      return report;
    }
    // Whole, so that reasoning and signatures go back to the model.
    *request.add_messages() = llm::client::AnswerMessage(*answer);
    for (const llm::v1::ToolCall& tool : calls) {
      llm::client::AddToolResult(tool, RunTool(tool), &request);
      ++report.tool_calls;
    }
  }
  return absl::ResourceExhaustedError(
      absl::StrCat("no report after ", kMostTurns, " turns"));
}
