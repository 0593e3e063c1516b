#include "adapters/anthropic/turn_order.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace llm::anthropic {
namespace {

using sv = std::string_view;
using Kind = Block::Kind;

bool IsThinking(const Block& block) { return block.kind == Kind::kThinking; }

}  // namespace

bool OnlyPlainKinds(const std::vector<Block>& blocks) {
  return std::none_of(blocks.begin(), blocks.end(), [](const Block& block) {
    return block.kind == Kind::kOther;
  });
}

void PutCallsLast(std::vector<Block>* blocks) {
  const auto first = std::find_if(
      blocks->begin(), blocks->end(),
      [](const Block& block) { return block.kind == Kind::kToolUse; });
  // What a server tool made of them is Anthropic's own order.
  const bool gone_on = std::any_of(
      first, blocks->end(),
      [](const Block& block) { return block.kind == Kind::kOther; });
  if (gone_on) return;
  std::stable_partition(first, blocks->end(), [](const Block& block) {
    return block.kind == Kind::kText || block.kind == Kind::kThinking;
  });
}

void PutThinkingFirst(std::vector<Block>* blocks) {
  std::stable_partition(blocks->begin(), blocks->end(), IsThinking);
}

void AddTurn(Turn turn, std::vector<Turn>* turns) {
  if (turns->empty() || turns->back().role != turn.role) {
    turns->push_back(std::move(turn));
    return;
  }
  std::vector<Block>& blocks = turns->back().blocks;
  std::move(turn.blocks.begin(), turn.blocks.end(), std::back_inserter(blocks));
  if (turn.role == Turn::Role::kAssistant && OnlyPlainKinds(blocks)) {
    PutThinkingFirst(&blocks);
  }
}

ToolLoop FindLoop(const std::vector<Turn>& turns) {
  ToolLoop loop;
  for (size_t i = turns.size(); i > 0; --i) {
    const std::vector<Block>& blocks = turns[i - 1].blocks;
    if (turns[i - 1].role == Turn::Role::kUser) {
      const bool results =
          !blocks.empty() && blocks.front().kind == Kind::kResult;
      if (!results) break;
      loop.open = true;
    }
    if (turns[i - 1].role == Turn::Role::kAssistant) {
      // The loop's first turn is looked at last.
      loop.has_thinking = std::any_of(blocks.begin(), blocks.end(), IsThinking);
    }
  }
  return loop;
}

void TrimLastText(Block* block) {
  if (block->kind != Kind::kText) return;
  const auto doc = JsonDocument::Parse(sv(block->json));
  if (!doc.ok()) return;
  std::string text = doc->root().Find("text").StringOr();
  const size_t end = text.find_last_not_of(" \t\r\n\f\v") + 1;
  if (end == text.size()) return;
  text.resize(end);
  std::string json;
  JsonWriter out(&json);
  out.BeginObject();
  for (JsonValue v = doc->root().First(); v; v = v.Next()) {
    if (v.KeyEquals("text")) {
      out.Member("text", text);
    } else {
      out.MemberRaw(v.Key(), v.raw());
    }
  }
  out.EndObject();
  block->json = std::move(json);
}

}  // namespace llm::anthropic
