#include "server/ledger/open_calls.h"

#include <algorithm>
#include <variant>

namespace llm::server {
namespace {

constexpr char kLost[] = "lost";
constexpr char kReason[] = "the process ended before the outcome was known";

const AttemptIntent& IntentOf(const LedgerEntry& entry) {
  const auto* intent = std::get_if<AttemptIntent>(&entry);
  return intent != nullptr ? *intent : std::get<AttemptRecord>(entry).intent;
}

// Probes and shadows have no caller who waits, so no request row follows.
bool ForCaller(const AttemptIntent& intent) {
  return intent.role != AttemptRole::kProbe &&
         intent.role != AttemptRole::kShadow;
}

AttemptRecord LostAttempt(const AttemptIntent& intent) {
  AttemptRecord record;
  record.intent = intent;
  record.outcome = kLost;
  record.price_status = "unknown_usage";
  record.reason = kReason;
  record.next = "stop";
  return record;
}

void Add(const std::optional<TokenCount>& from, std::optional<TokenCount>* to) {
  if (from) *to = to->value_or(0) + *from;
}

void AddUsage(const TokenUsage& from, TokenUsage* to) {
  Add(from.fresh_input, &to->fresh_input);
  Add(from.cache_read, &to->cache_read);
  Add(from.cache_write_5m, &to->cache_write_5m);
  Add(from.cache_write_1h, &to->cache_write_1h);
  Add(from.output, &to->output);
  Add(from.reasoning, &to->reasoning);
}

// False where the sum leaves the range of Money.
bool AddCost(const Money& cost, std::vector<Money>* sums) {
  for (Money& sum : *sums) {
    if (!(sum.currency == cost.currency)) continue;
    return !__builtin_add_overflow(sum.pico, cost.pico, &sum.pico);
  }
  sums->push_back(cost);
  return true;
}

void AddAttempt(const LedgerEntry& entry, RequestRecord* request) {
  const AttemptIntent& intent = IntentOf(entry);
  request->started = std::min(request->started, intent.started);
  ++request->attempts;
  const auto* record = std::get_if<AttemptRecord>(&entry);
  if (record == nullptr || !record->cost ||
      !AddCost(*record->cost, &request->cost)) {
    request->unpriced = true;
  }
  if (record == nullptr) return;
  AddUsage(record->usage, &request->usage);
  if (!record->usage.empty()) request->usage_source = UsageSource::kPartial;
  request->duration = std::max(
      request->duration, intent.started + record->duration - request->started);
}

RequestRecord LostRequest(const std::vector<LedgerEntry>& entries) {
  const AttemptIntent& first = IntentOf(entries.front());
  RequestRecord request;
  request.identity = first.identity;
  request.started = first.started;
  request.outcome = kLost;
  request.requested_model = first.public_model;
  request.provider = first.provider;
  request.reason = kReason;
  for (const LedgerEntry& entry : entries) AddAttempt(entry, &request);
  return request;
}

}  // namespace

void OpenCalls::Apply(const LedgerEntry& entry) {
  if (const auto* intent = std::get_if<AttemptIntent>(&entry)) {
    ApplyIntent(*intent);
  } else if (const auto* record = std::get_if<AttemptRecord>(&entry)) {
    ApplyRecord(*record);
  } else {
    const auto& request = std::get<RequestRecord>(entry);
    const std::string& id = request.identity.request_id.value;
    const auto call = calls_.find(id);
    if (call == calls_.end()) return;  // refused before any attempt
    call->second.request_done = true;
    call->second.changed = true;
    EndIfDone(id);
  }
}

void OpenCalls::ApplyIntent(const AttemptIntent& intent) {
  Call& call = calls_[intent.identity.request_id.value];
  for (const LedgerEntry& entry : call.entries) {
    if (IntentOf(entry).attempt_id == intent.attempt_id) return;
  }
  if (!ForCaller(intent)) call.request_done = true;
  call.entries.emplace_back(intent);
  ++call.open_intents;
  call.changed = true;
}

void OpenCalls::ApplyRecord(const AttemptRecord& record) {
  const std::string& id = record.intent.identity.request_id.value;
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  Call& call = found->second;
  for (LedgerEntry& entry : call.entries) {
    if (!(IntentOf(entry).attempt_id == record.intent.attempt_id)) continue;
    if (std::holds_alternative<AttemptIntent>(entry)) --call.open_intents;
    entry = record;
    call.changed = true;
    break;
  }
  EndIfDone(id);
}

void OpenCalls::EndIfDone(const std::string& request_id) {
  const auto call = calls_.find(request_id);
  if (!call->second.request_done || call->second.open_intents > 0) return;
  if (call->second.carried) ended_.push_back(request_id);
  calls_.erase(call);
}

void OpenCalls::Restore(const std::vector<LedgerEntry>& entries) {
  for (const LedgerEntry& entry : entries) {
    if (std::holds_alternative<RequestRecord>(entry)) {
      Apply(entry);
      continue;
    }
    ApplyIntent(IntentOf(entry));
    if (std::holds_alternative<AttemptRecord>(entry)) Apply(entry);
  }
}

std::vector<OpenCalls::Carried> OpenCalls::TakeChanged() {
  std::vector<Carried> changed;
  for (auto& [id, call] : calls_) {
    if (!call.changed) continue;
    call.changed = false;
    call.carried = true;
    Carried& carried = changed.emplace_back();
    carried.request_id = id;
    carried.entries = call.entries;
    if (!call.request_done) continue;
    RequestRecord done;
    done.identity.request_id.value = id;
    carried.entries.emplace_back(std::move(done));
  }
  return changed;
}

std::vector<std::string> OpenCalls::TakeEnded() {
  return std::exchange(ended_, {});
}

std::vector<LedgerEntry> OpenCalls::LostRows() const {
  std::vector<LedgerEntry> rows;
  for (const auto& [id, call] : calls_) {
    for (const LedgerEntry& entry : call.entries) {
      const auto* intent = std::get_if<AttemptIntent>(&entry);
      if (intent != nullptr) rows.emplace_back(LostAttempt(*intent));
    }
    if (!call.request_done) rows.emplace_back(LostRequest(call.entries));
  }
  return rows;
}

}  // namespace llm::server
