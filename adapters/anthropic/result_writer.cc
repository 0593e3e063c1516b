#include "adapters/anthropic/result_writer.h"

#include <map>
#include <string_view>
#include <utility>

namespace llm::anthropic {
namespace {

using sv = std::string_view;

constexpr sv kExtra[] = {"is_error"};
constexpr sv kMissing = "No result was recorded for this call.";

}  // namespace

std::string ResultWriter::AddCall(const std::string& id) {
  calls_.push_back({id, ids_.ForCall(id)});
  return calls_.back().written;
}

void ResultWriter::Match(std::span<const v1::Message* const> run) {
  // Unanswered calls by id, the last first.
  std::map<sv, std::vector<Call*>> open;
  for (auto call = calls_.rbegin(); call != calls_.rend(); ++call) {
    if (call->result == nullptr) open[call->id].push_back(&*call);
  }
  for (const v1::Message* message : run) {
    if (message->role() != "tool") continue;
    const auto calls = open.find(message->tool_call_id());
    if (calls == open.end() || calls->second.empty()) {
      notes_.Refuse("messages.tool_call_id",
                    "a tool message answers no call of the assistant message"
                    " before it");
      return;
    }
    calls->second.back()->result = message;
    calls->second.pop_back();
  }
}

// Text alone is a string; a list is the block's, so that its marks count.
void ResultWriter::WriteContent(const v1::Message& message, JsonWriter* out,
                                Block* block) {
  std::vector<Block> blocks;
  for (const v1::Part& part : message.parts()) content_.Add(part, &blocks);
  const bool plain = blocks.size() == 1 && message.parts_size() == 1 &&
                     message.parts(0).has_text() &&
                     message.parts(0).extra_json().empty();
  if (plain) return out->Member("content", message.parts(0).text().text());
  block->content = std::move(blocks);
}

Block ResultWriter::ResultBlock(const Call& call) {
  Block block;
  block.kind = Block::Kind::kResult;
  JsonWriter json(&block.json);
  json.BeginObject();
  json.Member("type", "tool_result");
  json.Member("tool_use_id", call.written);
  if (call.result == nullptr) {
    json.Member("content", kMissing);
    json.Key("is_error");
    json.Bool(true);
    notes_.dropped.Add("messages.tool_calls.result");
  } else {
    WriteContent(*call.result, &json, &block);
    content_.AddExtra(call.result->extra_json(), kExtra, "messages", &json,
                      &block.cache_control);
  }
  json.EndObject();
  return block;
}

std::vector<Block> ResultWriter::Take(std::span<const v1::Message* const> run) {
  Match(run);
  std::vector<Block> blocks;
  for (const Call& call : calls_) blocks.push_back(ResultBlock(call));
  calls_.clear();
  return blocks;
}

}  // namespace llm::anthropic
