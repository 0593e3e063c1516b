#include "open_call.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "wire_error.h"

namespace llm::client {
namespace {

using Metadata = std::vector<std::pair<std::string, std::string>>;

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

bool IsPrintable(char c) { return c >= 0x20 && c < 0x7f; }

// The service's own end comes a moment before ours, so that its detail
// (attempts, provider, request id) still arrives.
absl::Duration ForTheService(absl::Duration left) {
  return left - std::min(absl::Milliseconds(250), left / 20);
}

Metadata MetadataOf(const CallOptions& options, const std::string& key) {
  Metadata metadata = options.metadata;
  if (!key.empty()) {
    metadata.emplace_back("authorization", absl::StrCat("Bearer ", key));
  }
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) metadata.emplace_back(name, value);
  };
  add("x-request-id", options.request_id);
  add("traceparent", options.traceparent);
  add("idempotency-key", options.idempotency_key);
  return metadata;
}

absl::Status SetDeadline(const CallOptions& options,
                         absl::Duration default_timeout, OpenCall* call) {
  const absl::Time now = absl::Now();
  const absl::Time deadline = std::min(
      options.deadline, now + options.timeout.value_or(default_timeout));
  if (deadline == absl::InfiniteFuture()) return absl::OkStatus();
  call->deadline = deadline;
  const absl::Duration left = deadline - now;
  if (left <= absl::ZeroDuration()) {
    return LocalError(absl::StatusCode::kDeadlineExceeded, "timeout",
                      "the deadline had passed before the call began",
                      call->request_id);
  }
  call->context.set_deadline(absl::ToChronoTime(deadline));
  call->context.AddMetadata(
      "x-llm-timeout",
      absl::StrCat(
          std::max<int64_t>(1, absl::ToInt64Milliseconds(ForTheService(left))),
          "ms"));
  return absl::OkStatus();
}

}  // namespace

ReceivedMetadata MetadataFrom(const OpenCall& call) {
  ReceivedMetadata metadata;
  if (!call.has_metadata) return metadata;
  for (const auto& [name, value] : call.context.GetServerInitialMetadata()) {
    metadata.emplace(std::string(name.data(), name.size()),
                     std::string(value.data(), value.size()));
  }
  return metadata;
}

std::string ReceivedRequestId(const OpenCall& call) {
  if (!call.has_metadata) return {};
  const auto& metadata = call.context.GetServerInitialMetadata();
  const auto it = metadata.find("x-request-id");
  return it == metadata.end()
             ? std::string()
             : std::string(it->second.data(), it->second.size());
}

absl::Status CheckMetadata(const std::string& name, const std::string& value) {
  const bool named =
      !name.empty() && std::all_of(name.begin(), name.end(), IsNameCharacter);
  if (!named) {
    return absl::InvalidArgumentError(
        absl::StrCat("metadata names are of a-z, 0-9, '-', '_' and '.'; not '",
                     absl::CHexEscape(name), "'"));
  }
  if (absl::EndsWith(name, "-bin") ||
      std::all_of(value.begin(), value.end(), IsPrintable)) {
    return absl::OkStatus();
  }
  // Not the value: it may be a key.
  return absl::InvalidArgumentError(
      absl::StrCat("the value of '", name, "' must be printable ASCII"));
}

absl::StatusOr<std::shared_ptr<OpenCall>> Open(const CallOptions& options,
                                               const std::string& key,
                                               absl::Duration default_timeout) {
  if (options.cancel.has_value() && options.cancel->cancelled()) {
    return absl::CancelledError("the call was cancelled before it began");
  }
  auto call = std::make_shared<OpenCall>();
  call->request_id = options.request_id;
  for (const auto& [name, value] : MetadataOf(options, key)) {
    const absl::Status status = CheckMetadata(name, value);
    if (!status.ok()) {
      return LocalError(status.code(), "invalid_request",
                        absl::StrCat(status.message()), options.request_id);
    }
    call->context.AddMetadata(name, value);
  }
  const absl::Status status = SetDeadline(options, default_timeout, call.get());
  if (!status.ok()) return status;
  if (options.cancel.has_value()) {
    call->registration =
        options.cancel->OnCancel([weak = std::weak_ptr<OpenCall>(call)] {
          if (const auto open = weak.lock()) open->Cancel();
        });
  }
  return call;
}

}  // namespace llm::client
