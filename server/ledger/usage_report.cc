#include "server/ledger/usage_report.h"

#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/core/money.h"
#include "adapters/core/status_macros.h"
#include "server/ledger/money_functions.h"

namespace llm::server {
namespace {

struct Sums {
  int64_t requests = 0;
  int64_t attempts = 0;
  int64_t unpriced = 0;
  int64_t estimated = 0;
  int64_t unconverted = 0;
  absl::int128 input = 0;
  absl::int128 cached_input = 0;
  absl::int128 output = 0;
  absl::int128 reasoning = 0;
  absl::int128 cost = 0;
  std::map<std::string, absl::int128> native;

  void Add(const Sums& other) {
    requests += other.requests;
    input += other.input;
    output += other.output;
    cost += other.cost;
  }
};

// Stops at the end of the range: the wire's counts are 64 bits, and a provider
// that reports nonsense must not wrap a total.
int64_t Clamped(absl::int128 tokens) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  return tokens > kMost ? kMost : static_cast<int64_t>(tokens);
}

using Groups = std::map<std::vector<std::string>, Sums>;

// What an unanswered request counts under: the index on request_id makes this
// one lookup.
std::string RequestColumn(const std::string& column,
                          const std::string& otherwise) {
  return absl::StrCat("CASE WHEN ", column, " != '' THEN ", column,
                      " ELSE coalesce((SELECT a.", column,
                      " FROM attempts a WHERE a.request_id = "
                      "requests.request_id ORDER BY a.started_us DESC, "
                      "a.ordinal DESC LIMIT 1), ",
                      otherwise, ") END");
}

// A request that reached nobody counts under the name it asked for, if that is
// a name of ours: a report has as many models as are served, not as many as
// callers can think of.
constexpr char kAskedFor[] =
    "CASE WHEN outcome = 'model_not_found' THEN '(unknown)' "
    "ELSE requested_model END";

std::string KeyColumn(UsageKey key, bool requests) {
  switch (key) {
    case UsageKey::kModel:
      return requests ? RequestColumn("public_model", kAskedFor)
                      : "public_model";
    case UsageKey::kProvider:
      return requests ? RequestColumn("provider", "''") : "provider";
    case UsageKey::kDay:
      return "strftime('%Y-%m-%d', started_us / 1000000, 'unixepoch')";
    case UsageKey::kHour:
      return "strftime('%Y-%m-%dT%H:00:00Z', started_us / 1000000, "
             "'unixepoch')";
    case UsageKey::kKey:
      return "key_id";
    case UsageKey::kUser:
      return "user";
    case UsageKey::kOrg:
      return "org";
    case UsageKey::kTaskType:
      return "task_type";
    case UsageKey::kRunId:
      return "run_id";
    case UsageKey::kAgent:
      return "agent";
  }
  return "''";
}

// The WHERE clause and what its question marks stand for, after the two
// times.
struct Selection {
  std::string where;
  std::vector<std::string> values;
};

Selection Select(const UsageQuery& query, bool requests) {
  std::vector<std::string> terms = {"started_us >= ?", "started_us < ?"};
  std::vector<std::string> values;
  const auto add = [&](const std::string& column, const std::string& value) {
    terms.push_back(absl::StrCat(column, " = ?"));
    values.push_back(value);
  };
  if (!query.scope.key_id.empty()) add("key_id", query.scope.key_id);
  if (!query.scope.org.empty()) add("org", query.scope.org);
  for (const auto& [key, value] : query.filter) {
    add(KeyColumn(key, requests), value);
  }
  return {absl::StrCat(" WHERE ", absl::StrJoin(terms, " AND ")),
          std::move(values)};
}

// "key1, key2, " and the columns' numbers for GROUP BY.
std::string KeyColumns(const std::vector<UsageKey>& by, bool requests) {
  std::string columns;
  for (const UsageKey key : by) {
    absl::StrAppend(&columns, KeyColumn(key, requests), ", ");
  }
  return columns;
}

std::string GroupBy(size_t columns) {
  std::string numbers;
  for (size_t i = 1; i <= columns; ++i) {
    absl::StrAppend(&numbers, i == 1 ? " GROUP BY " : ", ", i);
  }
  return numbers;
}

class Reporter {
 public:
  Reporter(Database& database, const UsageQuery& query)
      : database_(database), query_(query) {}

  absl::StatusOr<Groups> Collect(const std::vector<UsageKey>& by) {
    Groups groups;
    LLM_RETURN_IF_ERROR(CollectAttempts(by, &groups));
    LLM_RETURN_IF_ERROR(CollectRequests(by, &groups));
    return groups;
  }

 private:
  absl::StatusOr<Statement> Prepare(const std::string& head, bool requests,
                                    size_t group_columns) {
    const Selection selection = Select(query_, requests);
    LLM_ASSIGN_OR_RETURN(
        Statement statement,
        database_.Prepare(
            absl::StrCat(head, requests ? " FROM requests" : " FROM attempts",
                         selection.where, GroupBy(group_columns))));
    LLM_RETURN_IF_ERROR(statement.BindInt(1, query_.from_us));
    LLM_RETURN_IF_ERROR(statement.BindInt(2, query_.to_us));
    int index = 2;
    for (const std::string& value : selection.values) {
      LLM_RETURN_IF_ERROR(statement.BindText(++index, value));
    }
    return statement;
  }

  static std::vector<std::string> KeysOf(const Statement& row, size_t count) {
    std::vector<std::string> keys;
    for (size_t i = 0; i < count; ++i) {
      keys.push_back(row.Text(static_cast<int>(i)));
    }
    return keys;
  }

  absl::Status CollectAttempts(const std::vector<UsageKey>& by,
                               Groups* groups) {
    const std::string head = absl::StrCat(
        "SELECT ", KeyColumns(by, false), "coalesce(currency, ''), count(*), ",
        "exact_sum(ifnull(fresh_input, 0) + ifnull(cache_read, 0) + "
        "ifnull(cache_write_5m, 0) + ifnull(cache_write_1h, 0)), ",
        "exact_sum(cache_read), exact_sum(output), exact_sum(reasoning), ",
        "exact_sum(cost_pico), converted_sum(cost_pico, currency, started_us)");
    LLM_ASSIGN_OR_RETURN(Statement row, Prepare(head, false, by.size() + 1));
    absl::StatusOr<bool> more = row.Step();
    for (; more.ok() && *more; more = row.Step()) {
      const int at = static_cast<int>(by.size());
      Sums& sums = (*groups)[KeysOf(row, by.size())];
      sums.attempts += row.Int(at + 1);
      sums.input += ParseInt128Text(row.Text(at + 2));
      sums.cached_input += ParseInt128Text(row.Text(at + 3));
      sums.output += ParseInt128Text(row.Text(at + 4));
      sums.reasoning += ParseInt128Text(row.Text(at + 5));
      const std::string currency = row.Text(at);
      if (currency.empty()) continue;
      sums.native[currency] += ParseInt128Text(row.Text(at + 6));
      sums.cost += ParseInt128Text(row.Text(at + 7));
    }
    return more.status();
  }

  absl::Status CollectRequests(const std::vector<UsageKey>& by,
                               Groups* groups) {
    const std::string head = absl::StrCat(
        "SELECT ", KeyColumns(by, true),
        "count(*), sum(unpriced), sum(usage_source = 'estimated'), ",
        "sum(NOT converts(currencies, started_us))");
    LLM_ASSIGN_OR_RETURN(Statement row, Prepare(head, true, by.size()));
    absl::StatusOr<bool> more = row.Step();
    for (; more.ok() && *more; more = row.Step()) {
      const int at = static_cast<int>(by.size());
      // Without groups there is a row even where nothing was found.
      if (row.Int(at) == 0) continue;
      Sums& sums = (*groups)[KeysOf(row, by.size())];
      sums.requests = row.Int(at);
      sums.unpriced = row.Int(at + 1);
      sums.estimated = row.Int(at + 2);
      sums.unconverted = row.Int(at + 3);
    }
    return more.status();
  }

  Database& database_;
  const UsageQuery& query_;
};

void FillTotal(const Sums& sums, v1::UsageTotal* total) {
  total->set_requests(sums.requests);
  total->set_tokens(Clamped(sums.input + sums.output));
  total->set_cost(FormatPico(sums.cost));
}

void FillGroup(const UsageQuery& query, const std::vector<std::string>& keys,
               const Sums& sums, v1::UsageGroup* group) {
  for (size_t i = 0; i < query.by.size(); ++i) {
    (*group->mutable_keys())[UsageKeyName(query.by[i])] = keys[i];
  }
  group->set_requests(sums.requests);
  group->set_attempts(sums.attempts);
  group->mutable_tokens()->set_input(Clamped(sums.input));
  group->mutable_tokens()->set_cached_input(Clamped(sums.cached_input));
  group->mutable_tokens()->set_output(Clamped(sums.output));
  group->mutable_tokens()->set_reasoning(Clamped(sums.reasoning));
  group->set_cost(FormatPico(sums.cost));
  for (const auto& [currency, pico] : sums.native) {
    (*group->mutable_cost_native())[currency] = FormatPico(pico);
  }
  group->set_unpriced_requests(sums.unpriced);
  group->set_estimated_requests(sums.estimated);
  group->set_unconverted_requests(sums.unconverted);
}

v1::GetUsageResponse Render(const UsageQuery& query, const Groups& groups,
                            const Groups& models, const ExchangeRates& rates) {
  v1::GetUsageResponse response;
  response.set_currency(rates.report_currency());
  Sums total;
  for (const auto& [keys, sums] : models) {
    total.Add(sums);
    FillTotal(sums, &(*response.mutable_models())[keys[0]]);
  }
  FillTotal(total, response.mutable_total());
  for (const auto& [keys, sums] : groups) {
    FillGroup(query, keys, sums, response.add_groups());
  }
  return response;
}

}  // namespace

absl::StatusOr<v1::GetUsageResponse> MakeUsageReport(
    Database& database, const UsageQuery& query, const ExchangeRates& rates) {
  LLM_RETURN_IF_ERROR(RegisterMoneyFunctions(database, &rates));
  // One view of the rows for all the statements.
  LLM_RETURN_IF_ERROR(database.Execute("BEGIN"));
  Reporter reporter(database, query);
  absl::StatusOr<Groups> groups = reporter.Collect(query.by);
  absl::StatusOr<Groups> models = Groups();
  if (groups.ok()) models = reporter.Collect({UsageKey::kModel});
  database.Execute("COMMIT").IgnoreError();
  LLM_RETURN_IF_ERROR(groups.status());
  LLM_RETURN_IF_ERROR(models.status());
  return Render(query, *groups, *models, rates);
}

}  // namespace llm::server
