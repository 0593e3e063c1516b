// Microseconds per append of one whole call (intent; then attempt and
// request), as a router writes them. Without the store.
//   server_ledger_bench [CALLS] [FOLDER]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "server/ledger/journal.h"

namespace llm::server {
namespace {

AttemptRecord Attempt() {
  AttemptRecord record;
  record.intent.attempt_id.value = std::string(36, 'a');
  record.intent.identity.request_id.value = std::string(36, 'r');
  record.intent.identity.key_id.value = std::string(40, 'k');
  record.intent.identity.run_id = "run-2026-11-22-0001";
  record.intent.identity.agent = "market_analyst";
  record.intent.identity.task_type = "technical_analysis";
  record.intent.provider.value = "deepseek";
  record.intent.public_model.value = "deepseek-chat";
  record.intent.upstream_model.value = "deepseek-flash";
  record.outcome = "ok";
  record.usage.fresh_input = 1200;
  record.usage.output = 300;
  record.raw_usage_json = std::string(200, '{');
  record.cost = Money{{"USD"}, 123'456'789};
  record.price_version = "deepseek/deepseek-flash@1a2b3c";
  record.reason = "primary of technical_analysis";
  return record;
}

int Run(int calls, const std::string& folder) {
  JournalBudget budget(int64_t{1} << 40);
  Journal journal(folder, 0, int64_t{4} << 20, &budget);
  const AttemptRecord attempt = Attempt();
  RequestRecord request;
  request.identity = attempt.intent.identity;
  const std::vector<LedgerEntry> first = {attempt.intent};
  const std::vector<LedgerEntry> last = {attempt, request};
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i) {
    if (!journal.Append(first).ok() || !journal.Append(last).ok()) return 1;
  }
  const std::chrono::duration<double, std::micro> took =
      std::chrono::steady_clock::now() - start;
  std::printf("%d calls, %.2f us per append, %ld bytes per call\n", calls,
              took.count() / calls / 2,
              static_cast<long>(budget.used() / calls));
  journal.RemoveThrough(int64_t{1} << 40);
  return 0;
}

}  // namespace
}  // namespace llm::server

int main(int argc, char** argv) {
  return llm::server::Run(argc > 1 ? std::atoi(argv[1]) : 100'000,
                          argc > 2 ? argv[2] : "/tmp");
}
