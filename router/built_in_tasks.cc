// The task types that TradingAgents' agents name (shared with their first
// service, whose words are the aliases), and the generic ones beside them.
// Deep: the calls that carry a decision (research and risk management), and
// what asks for reasoning by name.
#include "router/route_table.h"

namespace llm {

const std::vector<BuiltInTask>& BuiltInTasks() {
  static const auto& tasks = *new std::vector<BuiltInTask>{
      {"general", {}, false, false},
      {"auto-quick", {}, false, false},
      {"auto-deep", {}, true, false},
      {"market_analysis", {"technical_analysis"}, false, true},
      {"sentiment_analysis", {}, false, true},
      {"news_analysis", {}, false, true},
      {"fundamentals_analysis", {}, false, true},
      {"bull_research", {"bull_analysis"}, false, false},
      {"bear_research", {"bear_analysis"}, false, false},
      {"research_management", {}, true, false},
      {"trading_decision", {}, false, false},
      {"risk_debate", {}, false, false},
      {"risk_management", {"portfolio_manager"}, true, false},
      {"signal_extraction", {"data_extraction"}, false, false},
      {"reflection", {}, false, false},
      {"embedding", {}, false, false, true},
      {"financial_analysis", {}, false, false},
      {"stock_analysis", {}, false, false},
      {"tool_calling", {}, false, true},
      {"market_research", {}, false, false},
      {"reasoning", {}, true, false},
      {"chinese_tasks", {}, false, false},
      {"code_generation", {}, false, false},
      {"translation", {}, false, false},
  };
  return tasks;
}

}  // namespace llm
