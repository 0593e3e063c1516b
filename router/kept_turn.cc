#include "router/kept_turn.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "adapters/core/json.h"
#include "router/join_parts.h"

namespace llm {
namespace {

// A history may hold hundreds of turns; older ones matter to nobody.
constexpr int kMaxTurns = 256;
// More parallel calls than any model makes: what has more is no turn of ours.
constexpr int kMaxCalls = 64;
// Put back into one request, in all: room for any loop, not for a bomb.
constexpr size_t kMaxPutBack = size_t{2} << 20;
// Arguments with more members are the same only if they are spelt the same.
constexpr size_t kMaxMembers = 1000;

bool IsCall(const v1::Part& part) { return part.has_tool_call(); }

// What only its maker can write.
bool IsMakers(const v1::Part& part) {
  return part.has_reasoning() || part.has_opaque();
}

bool Has(const v1::Message& message, bool (*is)(const v1::Part&)) {
  return std::any_of(message.parts().begin(), message.parts().end(), is);
}

bool IsMarkedText(const v1::Part& part) {
  return part.has_text() && !part.extra_json().empty();
}

bool HasSignature(const v1::Part& part) {
  return !part.text().signature().empty() ||
         !part.tool_call().signature().empty();
}

// Beyond 2^53 two integers may be one double.
bool SameNumber(JsonValue a, JsonValue b) {
  if (a.raw() == b.raw()) return true;
  const auto left = a.AsInt64();
  const auto right = b.AsInt64();
  if (left || right) return left == right;
  return a.AsDouble() == b.AsDouble();
}

// The same value, however it is spelt: clients parse arguments and write them
// again.
bool SameJson(JsonValue a, JsonValue b) {
  if (a.type() != b.type() || a.size() != b.size()) return false;
  if (a.is_string()) return a.StringOr() == b.StringOr();
  if (a.is_number()) return SameNumber(a, b);
  if (a.size() > kMaxMembers) return a.raw() == b.raw();
  if (a.is_object()) {
    for (JsonValue v = a.First(); v; v = v.Next()) {
      if (!SameJson(v, b.Find(v.Key()))) return false;
    }
    return true;
  }
  if (!a.is_array()) return a.raw() == b.raw();
  JsonValue other = b.First();
  for (JsonValue v = a.First(); v; v = v.Next(), other = other.Next()) {
    if (!SameJson(v, other)) return false;
  }
  return true;
}

std::string_view ToView(const std::string& text) { return text; }

bool SameArguments(const std::string& a, const std::string& b) {
  if (a == b) return true;
  constexpr std::string_view kNone = "{}";
  const auto left = JsonDocument::Parse(a.empty() ? kNone : ToView(a));
  const auto right = JsonDocument::Parse(b.empty() ? kNone : ToView(b));
  return left.ok() && right.ok() && SameJson(left->root(), right->root());
}

bool SameCall(const v1::ToolCall& a, const v1::ToolCall& b) {
  return a.id() == b.id() && a.function().name() == b.function().name() &&
         SameArguments(a.function().arguments(), b.function().arguments()) &&
         a.custom().name() == b.custom().name() &&
         a.custom().input() == b.custom().input();
}

const v1::ToolCall* FindCall(const v1::Message& message,
                             const std::string& id) {
  for (const v1::Part& part : message.parts()) {
    if (part.has_tool_call() && part.tool_call().id() == id) {
      return &part.tool_call();
    }
  }
  return nullptr;
}

int CountCalls(const v1::Message& message) {
  return static_cast<int>(
      std::count_if(message.parts().begin(), message.parts().end(), IsCall));
}

// A proof of reasoning whose maker is not known is of no use to any.
bool HasProof(const v1::Part& part) {
  const v1::ReasoningPart& thought = part.reasoning();
  return HasSignature(part) || part.has_opaque() ||
         (!thought.origin().empty() &&
          !(thought.signature().empty() && thought.redacted_data().empty()));
}

bool HasReasoning(const v1::Part& part) {
  return !part.reasoning().text().empty();
}

// The client sent what its maker wants back, or as much as is kept.
bool IsWhole(const v1::Message& message, const v1::Message& kept) {
  return Has(message, HasProof) ||
         (Has(message, HasReasoning) && !Has(kept, HasProof));
}

// The client may have left calls out, but not changed one.
bool CallsAreKept(const v1::Message& message, const v1::Message& kept) {
  for (const v1::Part& part : message.parts()) {
    if (!part.has_tool_call()) continue;
    const v1::ToolCall* call = FindCall(kept, part.tool_call().id());
    if (call == nullptr || !SameCall(part.tool_call(), *call)) return false;
  }
  return true;
}

std::string TextOf(const v1::Message& message) {
  std::string text;
  for (const v1::Part& part : message.parts()) text += part.text().text();
  return text;
}

// The client's own parts, taken one by one.
class Clients {
 public:
  explicit Clients(const v1::Message& message) {
    for (const v1::Part& part : message.parts()) {
      if (!IsMakers(part)) parts_.push_back(&part);
    }
  }
  // The next that is not a call: text, media, a refusal.
  void TakeSaid(v1::Message* out) {
    for (const v1::Part*& part : parts_) {
      if (part == nullptr || IsCall(*part)) continue;
      *out->add_parts() = *part;
      part = nullptr;
    }
  }
  void TakeCall(const v1::ToolCall& kept, v1::Message* out) {
    for (const v1::Part*& part : parts_) {
      if (part == nullptr || !IsCall(*part)) continue;
      if (part->tool_call().id() != kept.id()) continue;
      v1::Part& call = *out->add_parts();
      call = *part;
      v1::ToolCall& to = *call.mutable_tool_call();
      if (to.signature().empty()) {
        to.set_signature(kept.signature());
        to.set_signature_origin(kept.signature_origin());
        to.set_origin_model(kept.origin_model());
      }
      part = nullptr;
      return;
    }
  }
  void DropText() {
    for (const v1::Part*& part : parts_) {
      if (part != nullptr && part->has_text()) part = nullptr;
    }
  }
  void TakeRest(v1::Message* out) {
    for (const v1::Part* part : parts_) {
      if (part != nullptr) *out->add_parts() = *part;
    }
  }

 private:
  std::vector<const v1::Part*> parts_;
};

void PutBack(const v1::Message& kept, v1::Message* message) {
  Clients clients(*message);
  // Text that the client kept whole, and said nothing of (a cache mark), is
  // put back as its maker cut it.
  const bool same_text =
      TextOf(kept) == TextOf(*message) && !Has(*message, IsMarkedText);
  if (same_text) clients.DropText();
  v1::Message out;
  for (const v1::Part& part : kept.parts()) {
    if (IsMakers(part) || (part.has_text() && same_text)) {
      *out.add_parts() = part;
    } else if (part.has_text()) {
      clients.TakeSaid(&out);
    } else if (IsCall(part)) {
      clients.TakeSaid(&out);
      clients.TakeCall(part.tool_call(), &out);
    }
  }
  clients.TakeRest(&out);
  message->mutable_parts()->Swap(out.mutable_parts());
}

// What is kept of the message, if it is that turn and its client dropped some
// of it.
std::shared_ptr<const v1::Message> FindKept(std::string_view tenant,
                                            const v1::Message& message,
                                            TurnMemory& memory) {
  if (message.role() != "assistant") return nullptr;
  const int calls = CountCalls(message);
  if (calls == 0 || calls > kMaxCalls) return nullptr;
  const auto first =
      std::find_if(message.parts().begin(), message.parts().end(), IsCall);
  auto kept = memory.Find(tenant, first->tool_call().id());
  if (kept == nullptr || calls > CountCalls(*kept) || IsWhole(message, *kept) ||
      !CallsAreKept(message, *kept)) {
    return nullptr;
  }
  return kept;
}

}  // namespace

bool WorthKeeping(const v1::Message& turn) {
  return Has(turn, IsCall) && CountCalls(turn) <= kMaxCalls &&
         (Has(turn, IsMakers) || Has(turn, HasSignature));
}

void KeepTurn(std::string_view tenant, const v1::Message& turn,
              TurnMemory& memory) {
  if (!WorthKeeping(turn)) return;
  std::vector<std::string> ids;
  for (const v1::Part& part : turn.parts()) {
    if (!part.has_tool_call() || part.tool_call().id().empty()) continue;
    ids.push_back(part.tool_call().id());
  }
  memory.Keep(tenant, ids, turn);
}

std::unique_ptr<ChatRequest> RestoreTurns(std::string_view tenant,
                                          const ChatRequest& request,
                                          TurnMemory& memory) {
  std::unique_ptr<ChatRequest> restored;
  const int count = request.message.messages_size();
  size_t left = kMaxPutBack;
  // The latest first: those the model is in the middle of. A turn stands in a
  // conversation once.
  std::vector<std::shared_ptr<const v1::Message>> done;
  for (int i = count - 1; i >= std::max(0, count - kMaxTurns); --i) {
    auto kept = FindKept(tenant, request.message.messages(i), memory);
    if (kept == nullptr ||
        std::find(done.begin(), done.end(), kept) != done.end()) {
      continue;
    }
    const size_t bytes = kept->ByteSizeLong();
    if (bytes > left) break;
    left -= bytes;
    if (!restored) {
      restored = std::make_unique<ChatRequest>(request);
      restored->restored.resize(static_cast<size_t>(count));
    }
    PutBack(*kept, restored->message.mutable_messages(i));
    restored->restored[static_cast<size_t>(i)] = true;
    done.push_back(std::move(kept));
  }
  return restored;
}

void TurnRecorder::AddPart(const v1::Part& part) {
  if (IsEmptyFragment(part)) return;
  const size_t bytes = part.ByteSizeLong();
  if (bytes > left_) {
    whole_ = false;
    turn_.Clear();
    return;
  }
  left_ -= bytes;
  if (!JoinPart(part, &turn_)) *turn_.add_parts() = part;
}

void TurnRecorder::Add(const v1::ChatCompletionChunk& chunk) {
  for (const v1::ChunkChoice& choice : chunk.choices()) {
    if (choice.index() != 0) continue;
    for (const v1::Part& part : choice.delta().parts()) {
      if (whole_) AddPart(part);
    }
  }
}

std::optional<v1::Message> TurnRecorder::Take() {
  if (!whole_ || !WorthKeeping(turn_)) return std::nullopt;
  return std::move(turn_);
}

}  // namespace llm
