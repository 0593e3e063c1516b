// Commands that ask a running service: keys and usage.
#include <iterator>
#include <ostream>
#include <utility>

#include "absl/strings/str_split.h"
#include "adapters/core/json.h"
#include "server/cli/ask_service.h"
#include "server/cli/commands.h"

namespace llm::server {
namespace {

std::string JoinStrings(const JsonValue& list) {
  std::string text;
  for (JsonValue v = list.First(); v; v = v.Next()) {
    text += (text.empty() ? "" : ",") + v.StringOr();
  }
  return text;
}

using Rows = std::vector<std::vector<std::string>>;

// "0.3 CNY + 0.01 USD": what was spent, before any exchange rate.
std::string NativeCosts(const JsonValue& costs) {
  std::string text;
  for (JsonValue cost = costs.First(); cost; cost = cost.Next()) {
    text += text.empty() ? "" : " + ";
    text += std::string(cost.raw()) + " " + cost.Key();
  }
  return text;
}

// Requests whose cost the report's currency leaves out for want of a rate.
int64_t Unconverted(const JsonValue& report) {
  int64_t count = 0;
  for (JsonValue group = report.Find("groups").First(); group;
       group = group.Next()) {
    count += group.Find("unconverted_requests").AsInt64().value_or(0);
  }
  return count;
}

// One row per group, under the names that it was grouped by.
// The header stands also over none, with the names of `by` (comma-separated).
Rows UsageRows(const JsonValue& report, const std::string& by) {
  constexpr const char* kColumns[] = {
      "requests", "attempts", "input",     "cached",      "output", "reasoning",
      "cost",     "unpriced", "estimated", "unconverted", "native"};
  Rows rows;
  std::vector<std::string> header;
  for (JsonValue group = report.Find("groups").First(); group;
       group = group.Next()) {
    std::vector<std::string> row;
    for (JsonValue key = group.Find("keys").First(); key; key = key.Next()) {
      if (rows.empty()) header.push_back(key.Key());
      row.push_back(OrDash(key.StringOr()));
    }
    if (rows.empty()) {
      header.insert(header.end(), std::begin(kColumns), std::end(kColumns));
      rows.push_back(header);
    }
    const JsonValue tokens = group.Find("tokens");
    for (const JsonValue& value :
         {group.Find("requests"), group.Find("attempts"), tokens.Find("input"),
          tokens.Find("cached_input"), tokens.Find("output"),
          tokens.Find("reasoning"), group.Find("cost"),
          group.Find("unpriced_requests"), group.Find("estimated_requests"),
          group.Find("unconverted_requests")}) {
      row.push_back(OrDash(std::string(value.raw())));
    }
    row.push_back(OrDash(NativeCosts(group.Find("cost_native"))));
    rows.push_back(std::move(row));
  }
  if (rows.empty()) {
    header = absl::StrSplit(by, ',', absl::SkipEmpty());
    header.insert(header.end(), std::begin(kColumns), std::end(kColumns));
    rows.push_back(std::move(header));
  }
  return rows;
}

// What a spreadsheet would run: a field that begins like a formula, or with a
// blank that it skips before looking. A negative number is only a number.
bool LooksLikeFormula(const std::string& text) {
  if (text.find_first_of("=+-@\t\r") != 0) return false;
  const bool number =
      text.size() > 1 && text[0] == '-' &&
      text.find_first_not_of("0123456789.", 1) == std::string::npos;
  return !number;
}

std::string CsvField(const std::string& text) {
  const bool formula = LooksLikeFormula(text);
  if (!formula && text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  std::string out = formula ? "\"'" : "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

void PrintCsv(const Rows& rows, std::ostream& out) {
  for (const std::vector<std::string>& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      out << (i == 0 ? "" : ",") << CsvField(row[i]);
    }
    out << "\n";
  }
}

std::string UsagePath(const UsageOptions& options) {
  std::string path = "/v1/usage";
  char separator = '?';
  const auto add = [&](std::string_view name, const std::string& value) {
    if (value.empty()) return;
    path += separator;
    path += std::string(name) + "=" + EscapePath(value);
    separator = '&';
  };
  add("from", options.from);
  add("to", options.to);
  add("by", options.by);
  return path;
}

std::string KeyRequest(const KeyCreateOptions& options) {
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  json.Member("name", options.name);
  if (!options.org.empty()) json.Member("org", options.org);
  if (!options.team.empty()) json.Member("team", options.team);
  if (!options.user.empty()) json.Member("user", options.user);
  if (!options.models.empty()) {
    json.Key("models");
    json.BeginArray();
    for (const std::string& model : options.models) json.String(model);
    json.EndArray();
  }
  if (!options.expires_at.empty()) {
    json.Member("expires_at", options.expires_at);
  }
  if (options.org_admin) {
    json.Key("org_admin");
    json.Bool(true);
  }
  json.EndObject();
  return body;
}

}  // namespace

int RunKeysCreate(const RemoteOptions& remote, const KeyCreateOptions& options,
                  const CliHost& host) {
  const auto body = AskService(remote, "POST", "/admin/v1/keys", false,
                               KeyRequest(options), host);
  if (!body.has_value()) return 1;
  const auto document = ParseServiceAnswer(*body, host);
  if (!document.has_value()) return 1;
  const JsonValue key = document->root().Find("key");
  // The secret alone on stdout, so that a script can take it.
  *host.out << document->root().Find("secret").StringOr() << "\n";
  *host.err << "key " << key.Find("id").StringOr() << " (" << options.name
            << ") is made; its secret is shown this once\n";
  return 0;
}

int RunKeysList(const RemoteOptions& remote, bool all, const CliHost& host) {
  const auto body =
      AskService(remote, "GET",
                 all ? "/admin/v1/keys?include_revoked=true" : "/admin/v1/keys",
                 false, "", host);
  if (!body.has_value()) return 1;
  const auto document = ParseServiceAnswer(*body, host);
  if (!document.has_value()) return 1;
  Rows rows = {{"id", "name", "prefix", "org", "team", "user", "models",
                "created", "expires", "revoked"}};
  for (JsonValue key = document->root().Find("keys").First(); key;
       key = key.Next()) {
    std::vector<std::string> row;
    for (const char* name : {"id", "name", "prefix", "org", "team", "user"}) {
      row.push_back(OrDash(key.Find(name).StringOr()));
    }
    row.push_back(OrDash(JoinStrings(key.Find("models"))));
    for (const char* name : {"created_at", "expires_at", "revoked_at"}) {
      row.push_back(OrDash(key.Find(name).StringOr()));
    }
    rows.push_back(std::move(row));
  }
  *host.out << FormatTable(rows);
  return 0;
}

int RunKeysRevoke(const RemoteOptions& remote, const std::string& id,
                  const CliHost& host) {
  const auto body =
      AskService(remote, "POST", "/admin/v1/keys/" + EscapePath(id) + "/revoke",
                 false, "{}", host);
  if (!body.has_value()) return 1;
  *host.out << "key " << id << " is revoked\n";
  return 0;
}

int RunUsage(const RemoteOptions& remote, const UsageOptions& options,
             const CliHost& host) {
  const auto body =
      AskService(remote, "GET", UsagePath(options), true, "", host);
  if (!body.has_value()) return 1;
  const auto document = ParseServiceAnswer(*body, host);
  if (!document.has_value()) return 1;
  const JsonValue report = document->root();
  if (options.format == "json") {
    *host.out << *body << "\n";
    return 0;
  }
  const Rows rows = UsageRows(report, options.by);
  if (options.format == "csv") {
    PrintCsv(rows, *host.out);
    return 0;
  }
  const JsonValue total = report.Find("total");
  *host.out << FormatTable(rows) << "total: " << total.Find("requests").raw()
            << " requests, " << total.Find("tokens").raw() << " tokens, "
            << total.Find("cost").raw() << " "
            << report.Find("currency").StringOr() << "\n";
  const int64_t unconverted = Unconverted(report);
  if (unconverted > 0) {
    *host.out << "not in the total: " << unconverted
              << " requests in currencies without a rate; add one under "
                 "usage.rates (column native has what they cost)\n";
  }
  return 0;
}

}  // namespace llm::server
