// Commands about the providers of a running service.
#include <ostream>

#include "adapters/core/json.h"
#include "server/cli/ask_service.h"
#include "server/cli/commands.h"

namespace llm::server {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string Number(const JsonValue& value) {
  return OrDash(std::string(value.raw()));
}

std::string CostOf(const JsonValue& cost) {
  if (!cost.is_object()) return "-";
  return cost.Find("amount").StringOr() + " " +
         cost.Find("currency").StringOr();
}

std::string TokensOf(const JsonValue& tokens) {
  if (!tokens.is_object()) return "-";
  return Number(tokens.Find("input")) + "/" + Number(tokens.Find("output"));
}

std::vector<std::string> CheckRow(const JsonValue& check) {
  return {check.Find("name").StringOr(),
          check.Find("outcome").StringOr(),
          Number(check.Find("upstream_status")),
          Number(check.Find("latency_ms")),
          OrDash(check.Find("served_model").StringOr()),
          TokensOf(check.Find("tokens")),
          CostOf(check.Find("cost")),
          OrDash(check.Find("message").StringOr())};
}

}  // namespace

int RunProvidersList(const RemoteOptions& remote, const std::string& format,
                     const CliHost& host) {
  const auto body =
      AskService(remote, "GET", "/admin/v1/providers", false, "", host);
  if (!body.has_value()) return 1;
  const auto document = ParseServiceAnswer(*body, host);
  if (!document.has_value()) return 1;
  if (format == "json") {
    *host.out << *body << "\n";
    return 0;
  }
  Rows rows = {{"id", "dialect", "host", "keys", "models", "health"}};
  for (JsonValue one = document->root().Find("providers").First(); one;
       one = one.Next()) {
    rows.push_back({one.Find("id").StringOr(), one.Find("dialect").StringOr(),
                    OrDash(one.Find("host").StringOr()),
                    Number(one.Find("keys")), Number(one.Find("models")),
                    one.Find("health").StringOr()});
  }
  *host.out << FormatTable(rows);
  return 0;
}

int RunProvidersTest(const RemoteOptions& remote,
                     const ProviderTestOptions& options, const CliHost& host) {
  std::string request;
  JsonWriter json(&request);
  json.BeginObject();
  if (!options.model.empty()) json.Member("model", options.model);
  json.EndObject();
  const auto body = AskService(
      remote, "POST", "/admin/v1/providers/" + EscapePath(options.id) + "/test",
      false, request, host);
  if (!body.has_value()) return 1;
  const auto document = ParseServiceAnswer(*body, host);
  if (!document.has_value()) return 1;
  const JsonValue root = document->root();
  const int code = root.Find("ok").AsBool().value_or(false) ? 0 : 1;
  if (options.format == "json") {
    *host.out << *body << "\n";
    return code;
  }
  Rows rows = {{"check", "outcome", "status", "ms", "served model",
                "tokens in/out", "cost", "message"}};
  for (JsonValue check = root.Find("checks").First(); check;
       check = check.Next()) {
    rows.push_back(CheckRow(check));
  }
  *host.out << root.Find("provider").StringOr() << ", model "
            << root.Find("model").StringOr() << "\n"
            << FormatTable(rows);
  return code;
}

}  // namespace llm::server
