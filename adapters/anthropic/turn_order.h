// The order of turns, and of one turn's blocks, as Anthropic takes it.
//
// Threads: Pure.
// Fact:    anthropic.md 3.1 (2026-11-20).
#ifndef LLM_ADAPTERS_ANTHROPIC_TURN_ORDER_H_
#define LLM_ADAPTERS_ANTHROPIC_TURN_ORDER_H_

#include <vector>

#include "adapters/anthropic/block.h"

namespace llm::anthropic {

// Text, thinking and calls alone: no block that only Anthropic understands.
bool OnlyPlainKinds(const std::vector<Block>& blocks);

// What was said and thought stands before the calls: a client must answer
// them in the very next message, so they are the turn's last word.
void PutCallsLast(std::vector<Block>* blocks);

void PutThinkingFirst(std::vector<Block>* blocks);

// Adds `turn`. Where nothing was said between two turns of one role, they are
// one, and the assistant's thinking stands first in it.
void AddTurn(Turn turn, std::vector<Turn>* turns);

struct ToolLoop {
  // The model is in the middle of one: its calls were answered, and nobody
  // has spoken since.
  bool open = false;
  // Its first turn holds thinking, proof and all.
  bool has_thinking = false;
};
ToolLoop FindLoop(const std::vector<Turn>& turns);

// A prefill must not end in white space, or it is refused.
void TrimLastText(Block* block);

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_TURN_ORDER_H_
