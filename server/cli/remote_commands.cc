// Commands that ask a running service: keys and usage.
#include <ostream>
#include <utility>

#include "absl/strings/ascii.h"
#include "adapters/core/json.h"
#include "adapters/core/text.h"
#include "server/cli/commands.h"
#include "server/config/secret_reference.h"
#include "server/config/setting_text.h"

namespace llm::server {
namespace {

constexpr size_t kMaxKeyFile = size_t{16} << 10;

// For one query value or path segment.
std::string Escape(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '_' || c == '.' ||
        c == '~' || c == ',') {
      out += c;
      continue;
    }
    out += '%';
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

// The key for a command; empty with a message if there is none to be had.
std::string FindKey(const RemoteOptions& remote, bool caller_key_will_do,
                    const CliHost& host) {
  if (!remote.admin_key_file.empty()) {
    const auto text = ReadSmallFile(remote.admin_key_file, kMaxKeyFile);
    if (!text.ok()) {
      *host.err << "--admin-key-file: " << ToStd(text.status().message())
                << "\n";
      return "";
    }
    std::string key(absl::StripAsciiWhitespace(*text));
    if (key.empty()) *host.err << "--admin-key-file: the file is empty\n";
    return key;
  }
  std::optional<std::string> key = host.env("LLM_SERVICE_ADMIN_KEY");
  if (!key.has_value() && caller_key_will_do) key = host.env("LLM_SERVICE_KEY");
  return key.value_or("");
}

void PrintRefusal(const HttpAnswer& answer, const CliHost& host) {
  const auto document = JsonDocument::Parse(answer.body);
  std::string message;
  if (document.ok()) {
    message = document->root().Find("error").Find("message").StringOr();
  }
  *host.err << "the service answered " << answer.status
            << (message.empty() ? "" : ": " + message) << "\n";
  if (answer.status != 401 && answer.status != 403) return;
  *host.err << "set LLM_SERVICE_ADMIN_KEY to the service's admin key, or use "
               "--admin-key-file\n";
}

// The body of a 2xx answer, or nullopt with the reason printed.
std::optional<std::string> Ask(const RemoteOptions& remote,
                               const std::string& method,
                               const std::string& path, bool caller_key,
                               const std::string& body, const CliHost& host) {
  const absl::StatusOr<std::string> base = ParseBaseUrlSetting(remote.url);
  if (!base.ok()) {
    *host.err << "--url " << ToStd(base.status().message()) << "\n";
    return std::nullopt;
  }
  const std::string key = FindKey(remote, caller_key, host);
  if (key.empty() && !remote.admin_key_file.empty()) return std::nullopt;
  const auto answer = host.http(method, *base + path, key, body, remote.tls);
  if (!answer.ok()) {
    *host.err << "no service answers at " << *base << " ("
              << ToStd(answer.status().message())
              << "); is it running, and is this its admin address? Start it "
                 "with `llm-service serve` or give --url\n";
    return std::nullopt;
  }
  if (answer->status < 200 || answer->status > 299) {
    PrintRefusal(*answer, host);
    return std::nullopt;
  }
  return answer->body;
}

// `text` is kept by the caller as long as the document is used.
std::optional<JsonDocument> ParseAnswer(const std::string& text,
                                        const CliHost& host) {
  auto document = JsonDocument::Parse(text);
  if (document.ok() && document->root().is_object()) {
    return *std::move(document);
  }
  *host.err << "the answer is not the service's JSON; is --url right?\n";
  return std::nullopt;
}

std::string JoinStrings(const JsonValue& list) {
  std::string text;
  for (JsonValue v = list.First(); v; v = v.Next()) {
    text += (text.empty() ? "" : ",") + v.StringOr();
  }
  return text;
}

std::string OrDash(std::string text) {
  return text.empty() ? "-" : std::move(text);
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
Rows UsageRows(const JsonValue& report) {
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
      for (const char* name :
           {"requests", "attempts", "input", "cached", "output", "reasoning",
            "cost", "unpriced", "estimated", "unconverted", "native"}) {
        header.emplace_back(name);
      }
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
    path += std::string(name) + "=" + Escape(value);
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
  const auto body =
      Ask(remote, "POST", "/admin/v1/keys", false, KeyRequest(options), host);
  if (!body.has_value()) return 1;
  const auto document = ParseAnswer(*body, host);
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
      Ask(remote, "GET",
          all ? "/admin/v1/keys?include_revoked=true" : "/admin/v1/keys", false,
          "", host);
  if (!body.has_value()) return 1;
  const auto document = ParseAnswer(*body, host);
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
      Ask(remote, "POST", "/admin/v1/keys/" + Escape(id) + "/revoke", false,
          "{}", host);
  if (!body.has_value()) return 1;
  *host.out << "key " << id << " is revoked\n";
  return 0;
}

int RunUsage(const RemoteOptions& remote, const UsageOptions& options,
             const CliHost& host) {
  const auto body = Ask(remote, "GET", UsagePath(options), true, "", host);
  if (!body.has_value()) return 1;
  const auto document = ParseAnswer(*body, host);
  if (!document.has_value()) return 1;
  const JsonValue report = document->root();
  if (options.format == "json") {
    *host.out << *body << "\n";
    return 0;
  }
  const Rows rows = UsageRows(report);
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
