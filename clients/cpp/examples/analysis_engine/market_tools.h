// The tools that the analyst model may call: a price and the fundamentals of
// a symbol, from a small table in place of a data service.
//
// Threads: Pure; any.
#ifndef ANALYSIS_ENGINE_MARKET_TOOLS_H_
#define ANALYSIS_ENGINE_MARKET_TOOLS_H_

#include <string>

#include "llm/v1/chat.pb.h"

// Tells the model which tools there are.
void OfferTools(llm::v1::ChatCompletionRequest* request);

// Runs one call. The result is JSON, also for what went wrong
// ({"error": …}): the model reads it and can try again.
std::string RunTool(const llm::v1::ToolCall& call);

#endif  // ANALYSIS_ENGINE_MARKET_TOOLS_H_
