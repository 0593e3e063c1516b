#include "server/ledger/row_group.h"

#include <utility>

#include "adapters/core/status_macros.h"
#include "server/ledger/journal_codec.h"

namespace llm::server {

void RowGroup::Add(std::vector<LedgerEntry> entries, OpenCalls* calls) {
  for (const LedgerEntry& entry : entries_.emplace_back(std::move(entries))) {
    calls->Apply(entry);
    if (std::holds_alternative<AttemptIntent>(entry)) continue;
    steps_.emplace_back(&entry);
  }
}

void RowGroup::Carry(const std::string& instance, OpenCalls* calls) {
  EndCarried(instance, calls);
  for (OpenCalls::Carried& call : calls->TakeChanged()) {
    CarryStep step{instance, std::move(call.request_id), ""};
    EncodeFrame(call.entries, &step.frame);
    steps_.emplace_back(std::move(step));
  }
}

void RowGroup::EndCarried(const std::string& instance, OpenCalls* calls) {
  for (std::string& id : calls->TakeEnded()) {
    steps_.emplace_back(EndStep{instance, std::move(id)});
  }
}

int64_t RowGroup::AddLost(const std::string& instance, const OpenCalls& calls) {
  const auto& rows = entries_.emplace_back(calls.LostRows());
  for (const LedgerEntry& row : rows) steps_.emplace_back(&row);
  steps_.emplace_back(EndAllStep{instance});
  return static_cast<int64_t>(rows.size());
}

void RowGroup::AddUnreadable(const std::string& segment,
                             const std::string& reason, int64_t bytes) {
  steps_.emplace_back(UnreadableStep{segment, reason, bytes});
}

absl::StatusOr<int64_t> RowGroup::Commit(Database& database, RowWriter& rows,
                                         absl::Time now) const {
  int64_t set_aside = 0;
  LLM_ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(database));
  for (const Step& step : steps_) {
    LLM_ASSIGN_OR_RETURN(const bool aside, Do(step, rows, now));
    if (aside) ++set_aside;
  }
  LLM_RETURN_IF_ERROR(transaction.Commit());
  return set_aside;
}

absl::StatusOr<bool> RowGroup::Do(const Step& step, RowWriter& rows,
                                  absl::Time now) {
  if (const auto* entry = std::get_if<const LedgerEntry*>(&step)) {
    return rows.Insert(**entry, now);
  }
  if (const auto* carry = std::get_if<CarryStep>(&step)) {
    LLM_RETURN_IF_ERROR(
        rows.Carry(carry->instance, carry->request_id, carry->frame));
    return false;
  }
  if (const auto* end = std::get_if<EndStep>(&step)) {
    LLM_RETURN_IF_ERROR(rows.EndCarried(end->instance, end->request_id));
    return false;
  }
  if (const auto* all = std::get_if<EndAllStep>(&step)) {
    LLM_RETURN_IF_ERROR(rows.EndAllCarried(all->instance));
    return false;
  }
  const auto& unreadable = std::get<UnreadableStep>(step);
  LLM_RETURN_IF_ERROR(rows.Quarantine(
      "journal", unreadable.segment, unreadable.reason, unreadable.bytes, now));
  return true;
}

}  // namespace llm::server
