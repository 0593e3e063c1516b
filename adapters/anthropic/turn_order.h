// The order of one turn's blocks, as Anthropic takes it.
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

// A prefill must not end in white space, or it is refused.
void TrimLastText(Block* block);

}  // namespace llm::anthropic

#endif  // LLM_ADAPTERS_ANTHROPIC_TURN_ORDER_H_
