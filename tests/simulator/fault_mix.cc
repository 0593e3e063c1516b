#include "tests/simulator/fault_mix.h"

#include <string>
#include <utility>

#include "adapters/core/json.h"

namespace llm::simulator {
namespace {

absl::Status CheckMixKeys(JsonValue root) {
  if (!root.is_object()) return absl::InvalidArgumentError("not an object");
  for (JsonValue member = root.First(); member; member = member.Next()) {
    if (!member.KeyEquals("rate") && !member.KeyEquals("seed") &&
        !member.KeyEquals("faults")) {
      return absl::InvalidArgumentError(member.Key() + ": unknown member");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FaultMix> FaultMix::Parse(std::string_view json) {
  const absl::StatusOr<JsonDocument> doc = JsonDocument::Parse(json);
  if (!doc.ok()) return doc.status();
  const JsonValue root = doc->root();
  if (absl::Status keys = CheckMixKeys(root); !keys.ok()) return keys;
  FaultMix mix;
  mix.rate_ = root.Find("rate").AsDouble().value_or(-1);
  if (!(mix.rate_ >= 0 && mix.rate_ <= 1)) {
    return absl::InvalidArgumentError("rate: between 0 and 1");
  }
  mix.random_.seed(
      static_cast<uint64_t>(root.Find("seed").AsInt64().value_or(1)));
  const JsonValue faults = root.Find("faults");
  for (JsonValue fault = faults.First(); fault; fault = fault.Next()) {
    absl::StatusOr<Script> script = ParseScript(fault.raw());
    if (!script.ok()) return script.status();
    mix.faults_.push_back(*std::move(script));
  }
  if (mix.faults_.empty() && mix.rate_ > 0) {
    return absl::InvalidArgumentError("faults: none");
  }
  return mix;
}

std::optional<Script> FaultMix::Next() {
  // Not a distribution of the library's: those differ between libraries, and
  // a seed is to mean the same everywhere.
  constexpr double kFull = 18446744073709551616.0;  // 2^64
  const double drawn = static_cast<double>(random_()) / kFull;
  const uint64_t which = random_();
  if (drawn >= rate_) return std::nullopt;
  return faults_[which % faults_.size()];
}

}  // namespace llm::simulator
