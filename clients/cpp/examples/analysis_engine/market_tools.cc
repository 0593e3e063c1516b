#include "market_tools.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "llm_service/messages.h"

namespace {

using google::protobuf::Struct;

struct Company {
  double price;
  double pe_ratio;
  double revenue_growth;
};

const Company* Find(const std::string& symbol) {
  static const auto* const kCompanies =
      new std::map<std::string, Company>{{"AAPL", {231.5, 35.1, 0.06}},
                                         {"MSFT", {428.2, 36.4, 0.16}},
                                         {"NVDA", {141.9, 55.7, 0.94}},
                                         {"GOOGL", {172.6, 22.8, 0.15}},
                                         {"AMZN", {202.9, 43.6, 0.11}}};
  const auto it = kCompanies->find(symbol);
  return it == kCompanies->end() ? nullptr : &it->second;
}

std::string ToJson(const Struct& value) {
  std::string json;
  // A Struct of plain values always becomes JSON.
  (void)google::protobuf::util::MessageToJsonString(value, &json);
  return json;
}

std::string Failure(const std::string& what) {
  Struct result;
  (*result.mutable_fields())["error"].set_string_value(what);
  return ToJson(result);
}

std::string Text(const Struct& arguments, const char* name) {
  const auto it = arguments.fields().find(name);
  return it == arguments.fields().end() ? "" : it->second.string_value();
}

std::string GetPrice(const Struct& arguments) {
  const std::string symbol = Text(arguments, "symbol");
  const Company* company = Find(symbol);
  if (company == nullptr) return Failure("unknown symbol " + symbol);
  Struct result;
  auto& fields = *result.mutable_fields();
  fields["symbol"].set_string_value(symbol);
  fields["price"].set_number_value(company->price);
  fields["currency"].set_string_value("USD");
  return ToJson(result);
}

std::string GetFundamentals(const Struct& arguments) {
  const std::string symbol = Text(arguments, "symbol");
  const Company* company = Find(symbol);
  if (company == nullptr) return Failure("unknown symbol " + symbol);
  Struct result;
  auto& fields = *result.mutable_fields();
  fields["symbol"].set_string_value(symbol);
  fields["pe_ratio"].set_number_value(company->pe_ratio);
  fields["revenue_growth"].set_number_value(company->revenue_growth);
  return ToJson(result);
}

constexpr char kSymbolSchema[] =
    R"({"type":"object","properties":{"symbol":{"type":"string",)"
    R"("description":"Ticker, for example AAPL"}},"required":["symbol"]})";

}  // namespace

void OfferTools(llm::v1::ChatCompletionRequest* request) {
  llm::client::AddFunction("get_price", "Last price of a symbol.",
                           kSymbolSchema, request);
  llm::client::AddFunction("get_fundamentals",
                           "Price-earnings ratio and growth of a symbol.",
                           kSymbolSchema, request);
}

std::string RunTool(const llm::v1::ToolCall& call) {
  const std::string& name = call.function().name();
  // The model's text: it may be anything.
  Struct arguments;
  if (!google::protobuf::util::JsonStringToMessage(call.function().arguments(),
                                                   &arguments)
           .ok()) {
    return Failure("the arguments are not a JSON object");
  }
  if (name == "get_price") return GetPrice(arguments);
  if (name == "get_fundamentals") return GetFundamentals(arguments);
  return Failure(absl::StrCat("no tool is called ", name));
}
