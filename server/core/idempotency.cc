#include "server/core/idempotency.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <utility>
#include <vector>

#include "router/call_error.h"

namespace llm::server {
namespace {

namespace asio = boost::asio;

// What an entry costs beside its answer.
constexpr int64_t kEntryBytes = 1024;
// How often answers whose time is over are looked for.
constexpr absl::Duration kLook = absl::Seconds(1);

// Of what decides the answer. A retry may have another deadline or priority
// and is the same request.
Digest DigestOfRequest(const CallContext& context,
                       const v1::ChatCompletionRequest& message, bool stream) {
  std::string text;
  {
    google::protobuf::io::StringOutputStream bytes(&text);
    google::protobuf::io::CodedOutputStream coded(&bytes);
    // Maps have no order of their own.
    coded.SetSerializationDeterministic(true);
    if (message.has_timeout() || !message.priority().empty()) {
      v1::ChatCompletionRequest bare = message;
      bare.clear_timeout();
      bare.clear_priority();
      bare.SerializeToCodedStream(&coded);
    } else {
      message.SerializeToCodedStream(&coded);
    }
  }
  return DigestOf({text, context.path_task, context.path_run,
                   context.path_agent, context.strict ? "strict" : "",
                   stream ? "stream" : ""});
}

absl::Status OtherRequest() {
  return RefuseField("Idempotency-Key",
                     "Idempotency-Key was used with another request less than "
                     "ten minutes ago; use a new key for a new request");
}

absl::Status TooLarge() {
  v1::UpstreamError detail;
  detail.set_code("idempotency_conflict");
  detail.set_source("gateway");
  detail.set_param("Idempotency-Key");
  detail.set_message(
      "The request with this Idempotency-Key was made already, and its answer "
      "is too large to be kept for a second reader; it is not made again. Use "
      "a new key to call the provider once more");
  detail.set_no_retry(true);
  return MakeCallError(absl::StatusCode::kAborted, std::move(detail));
}

}  // namespace

IdempotencyStore::IdempotencyStore(const Clock& clock, IdempotencyLimits limits)
    : clock_(clock), limits_(limits) {}

IdempotencyStore::~IdempotencyStore() = default;

Task<CallResult> IdempotencyStore::Chat(const CallContext& context,
                                        const ChatRequest& request,
                                        ChunkSink* sink,
                                        SharedCall::Chat chat) {
  const asio::any_io_executor loop = co_await asio::this_coro::executor;
  while (true) {
    const Entered entered = Enter(context, request, sink != nullptr, loop);
    if (!entered.refusal.ok()) {
      CallResult refused;
      refused.status = entered.refusal;
      co_return refused;
    }
    if (entered.first) entered.call->Start(std::move(chat));
    CallResult result = co_await entered.call->Follow(entered.reader, context,
                                                      sink, !entered.first);
    const bool anew =
        !entered.first &&
        entered.call->RanOutBefore(*entered.reader, result, context.deadline);
    if (!anew) co_return result;
  }
}

IdempotencyStore::Entered IdempotencyStore::JoinKnown(
    const Entry& entry, const Digest& request, asio::any_io_executor loop) {
  using Joined = SharedCall::Joined;
  const bool gone =
      entry.call != nullptr && entry.call->MayJoin() == Joined::kNot;
  if (gone) return {};
  Entered entered;
  if (!(entry.request == request)) {
    entered.refusal = OtherRequest();
    return entered;
  }
  Joined joined = Joined::kTooLarge;
  if (entry.call != nullptr) {
    entered.reader = entry.call->MakeReader(std::move(loop));
    joined = entry.call->Join(entered.reader);
  }
  if (joined == Joined::kYes) entered.call = entry.call;
  if (joined == Joined::kTooLarge) entered.refusal = TooLarge();
  return entered;
}

std::optional<IdempotencyStore::Entered> IdempotencyStore::FindKnown(
    const Digest& key, const Digest& request,
    const asio::any_io_executor& loop) {
  const auto known = entries_.find(key);
  if (known == entries_.end()) return std::nullopt;
  Entered entered = JoinKnown(known->second, request, loop);
  if (entered.call == nullptr && entered.refusal.ok()) return std::nullopt;
  return entered;
}

std::shared_ptr<SharedCall> IdempotencyStore::MakeCall(
    const Digest& key, const CallContext& context, const ChatRequest& request,
    bool stream, asio::any_io_executor loop) {
  SharedCall::Options options;
  options.clock = &clock_;
  options.largest = limits_.largest;
  options.recording = &recording_;
  options.max_recording = limits_.max_bytes;
  options.alone = &alone_;
  options.alone_for = limits_.alone;
  options.ended = [this, key](const SharedCall& call) { Ended(key, call); };
  return std::make_shared<SharedCall>(std::move(loop), context, request, stream,
                                      std::move(options));
}

IdempotencyStore::Entered IdempotencyStore::Enter(const CallContext& context,
                                                  const ChatRequest& request,
                                                  bool stream,
                                                  asio::any_io_executor loop) {
  const Digest key = DigestOf({context.caller.tenant, context.idempotency_key});
  const Digest print = DigestOfRequest(context, request.message, stream);
  {
    const MutexLock lock(mutex_);
    DropExpired();
    if (auto known = FindKnown(key, print, loop)) return *std::move(known);
  }
  // Copies the request, which may be large, so not under the lock.
  Entered entered;
  entered.first = true;
  entered.call = MakeCall(key, context, request, stream, loop);
  entered.reader = entered.call->MakeReader(loop);
  entered.call->Join(entered.reader);
  const MutexLock lock(mutex_);
  if (auto known = FindKnown(key, print, loop)) return *std::move(known);
  // In the place of one that nobody can join any more.
  Entry entry;
  entry.call = entered.call;
  entry.request = print;
  entry.tenant = context.caller.tenant;
  entries_[key] = std::move(entry);
  return entered;
}

void IdempotencyStore::CutAlone() {
  std::vector<std::shared_ptr<SharedCall>> calls;
  {
    const MutexLock lock(mutex_);
    for (const auto& [key, entry] : entries_) {
      if (entry.call != nullptr) calls.push_back(entry.call);
    }
  }
  for (const auto& call : calls) call->CutAlone();
}

void IdempotencyStore::Ended(const Digest& key, const SharedCall& call) {
  const MutexLock lock(mutex_);
  const auto it = entries_.find(key);
  // Another has taken its place.
  if (it == entries_.end() || it->second.call.get() != &call) return;
  Entry& entry = it->second;
  if (!call.worth_keeping()) {
    entries_.erase(it);
    return;
  }
  entry.bytes = kEntryBytes;
  if (call.whole()) {
    entry.bytes += static_cast<int64_t>(call.bytes());
  } else {
    entry.call = nullptr;
  }
  Tenant& tenant = tenants_[entry.tenant];
  const Instant until = clock_.Monotonic() + limits_.kept;
  entry.place = tenant.kept.insert(tenant.kept.end(), {key, until});
  tenant.bytes += entry.bytes;
  bytes_ += entry.bytes;
  MakeRoom();
}

void IdempotencyStore::DropOldestOf(const std::string& tenant) {
  const auto it = tenants_.find(tenant);
  Tenant& owner = it->second;
  const auto entry = entries_.find(owner.kept.front().key);
  owner.bytes -= entry->second.bytes;
  bytes_ -= entry->second.bytes;
  owner.kept.pop_front();
  entries_.erase(entry);
  if (owner.kept.empty()) tenants_.erase(it);
}

void IdempotencyStore::MakeRoom() {
  while (bytes_ > limits_.max_bytes && !tenants_.empty()) {
    const auto most = std::max_element(tenants_.begin(), tenants_.end(),
                                       [](const auto& a, const auto& b) {
                                         return a.second.bytes < b.second.bytes;
                                       });
    DropOldestOf(std::string(most->first));
  }
}

void IdempotencyStore::DropExpired() {
  const Instant now = clock_.Monotonic();
  if (now < next_look_) return;
  next_look_ = now + kLook;
  std::vector<std::string> names;
  for (const auto& [name, tenant] : tenants_) names.push_back(name);
  for (const std::string& name : names) {
    for (auto it = tenants_.find(name);
         it != tenants_.end() && it->second.kept.front().until <= now;
         it = tenants_.find(name)) {
      DropOldestOf(name);
    }
  }
}

int64_t IdempotencyStore::bytes() const {
  const MutexLock lock(mutex_);
  return bytes_;
}

size_t IdempotencyStore::answers() const {
  const MutexLock lock(mutex_);
  size_t count = 0;
  for (const auto& [name, tenant] : tenants_) count += tenant.kept.size();
  return count;
}

}  // namespace llm::server
