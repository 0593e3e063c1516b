// Analyses through LLM Service, five at once, and what the run cost.
//   LLM_KEY=sk-… analysis_engine [SYMBOL…]
// LLM_GRPC: address (127.0.0.1:9004). LLM_MODEL: model (auto).
// LLM_DEADLINE: of each analysis (300s). LLM_RUN: the run's name.
// Ctrl-C cancels what is under way, here and at the providers, and what has not
// begun; a second one ends the program at once. Exit code: how many analyses
// failed, at most 100; 101: none could begin.
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "analysis.h"
#include "llm_service/client.h"
#include "llm_service/error.h"

namespace {

std::string Variable(const char* name, std::string otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? otherwise : value;
}

// Whole lines from several threads.
void Print(const std::string& line) {
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  std::cout << line << std::endl;
}

constexpr size_t kAtOnce = 5;
constexpr int kMostFailures = 100;
constexpr int kCannotBegin = 101;

// Waits for SIGINT in a thread of its own, where Cancel() is safe. All other
// threads must have it blocked.
class CancelOnInterrupt {
 public:
  explicit CancelOnInterrupt(llm::client::CancelToken token) {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    // Wakes the thread at the end.
    sigaddset(&signals_, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    thread_ = std::thread([this, token] {
      while (!over_) {
        int signal = 0;
        sigwait(&signals_, &signal);
        if (signal != SIGINT) continue;
        if (token.cancelled()) std::_Exit(128 + SIGINT);
        token.Cancel();
      }
    });
  }
  ~CancelOnInterrupt() {
    over_ = true;
    pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
  }

 private:
  sigset_t signals_;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

bool RunOne(const llm::client::Client& client, const std::string& symbol,
            const AnalysisOptions& options) {
  // Five reports at once on one terminal: each line when it is whole.
  std::string line;
  const auto report =
      Analyse(client, symbol, options, [&](const std::string& text) {
        for (const char c : text) {
          if (c != '\n') {
            line += c;
          } else if (!line.empty()) {
            Print(absl::StrCat("[", symbol, "] ", line));
            line.clear();
          }
        }
      });
  if (!line.empty()) Print(absl::StrCat("[", symbol, "] ", line));
  if (!report.ok()) {
    Print(absl::StrCat("[", symbol, "] FAILED ",
                       llm::client::DescribeError(report.status())));
    return false;
  }
  Print(absl::StrCat("[", symbol, "] done: ", report->turns, " turns, ",
                     report->tool_calls, " tool calls, ", report->tokens,
                     " tokens"));
  return true;
}

int RunAll(const llm::client::Client& client,
           const std::vector<std::string>& symbols,
           const AnalysisOptions& options) {
  std::atomic<size_t> next{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> workers;
  for (size_t i = 0; i < std::min(kAtOnce, symbols.size()); ++i) {
    workers.emplace_back([&] {
      for (size_t own = next++; own < symbols.size(); own = next++) {
        if (!RunOne(client, symbols[own], options)) ++failed;
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  return std::min<int>(failed, kMostFailures);
}

void PrintUsage(const llm::client::Client& client, const std::string& run_id,
                const llm::client::CancelToken& cancel) {
  llm::client::CallOptions call;
  call.timeout = absl::Seconds(10);
  // Also a run that was cancelled has used something.
  if (!cancel.cancelled()) call.cancel = cancel;
  const auto usage = client.GetRunUsage(run_id, {"model"}, call);
  if (!usage.ok()) {
    Print("usage: FAILED " + llm::client::DescribeError(usage.status()));
    return;
  }
  for (const auto& group : usage->groups()) {
    Print(absl::StrCat("usage ", run_id, " ", group.keys().at("model"), ": ",
                       group.requests(), " requests, ", group.tokens().input(),
                       " tokens in, ", group.tokens().output(), " out, ",
                       group.cost(), " ", usage->currency()));
  }
  Print(absl::StrCat("usage ", run_id, " total: ", usage->total().requests(),
                     " requests, ", usage->total().tokens(), " tokens, ",
                     usage->total().cost(), " ", usage->currency()));
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> symbols(argv + 1, argv + argc);
  if (symbols.empty()) symbols = {"AAPL", "MSFT", "NVDA", "GOOGL", "AMZN"};

  llm::client::ClientOptions options;
  options.target = Variable("LLM_GRPC", options.target);
  options.key = Variable("LLM_KEY", "");
  AnalysisOptions analysis;
  analysis.model = Variable("LLM_MODEL", analysis.model);
  analysis.run_id = Variable(
      "LLM_RUN", absl::StrCat("analysis-", absl::ToUnixMillis(absl::Now())));
  if (!absl::ParseDuration(Variable("LLM_DEADLINE", "300s"),
                           &analysis.deadline)) {
    std::cerr << "LLM_DEADLINE must be a time such as 300s\n";
    return kCannotBegin;
  }

  // Before the client: its threads must not take the signal either.
  const CancelOnInterrupt interrupt(analysis.cancel);
  const auto client = llm::client::Client::Create(options);
  if (!client.ok()) {
    std::cerr << llm::client::DescribeError(client.status()) << "\n";
    return kCannotBegin;
  }
  const int failed = RunAll(*client, symbols, analysis);
  PrintUsage(*client, analysis.run_id, analysis.cancel);
  return failed;
}
