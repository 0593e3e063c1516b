#include "server/config/task_section.h"

#include <algorithm>

#include "adapters/core/money.h"
#include "server/config/setting_text.h"
#include "server/config/text.h"

namespace llm::server {
namespace {

// Decimals of an exchange rate; what the ledger converts with.
constexpr int kRateDecimals = 9;

std::vector<NameAt> ReadNames(const YamlCursor& cursor) {
  std::vector<NameAt> names;
  for (const YamlCursor& item : cursor.Items()) {
    std::optional<std::string> name = item.Text();
    if (!name.has_value()) continue;
    const bool again =
        std::any_of(names.begin(), names.end(),
                    [&](const NameAt& other) { return other.name == *name; });
    if (again) {
      item.Fault("is listed twice");
      continue;
    }
    names.push_back({*std::move(name), {item.line(), item.path()}});
  }
  return names;
}

std::optional<Prefer> ReadPrefer(const YamlCursor& cursor) {
  const std::optional<std::string> text = cursor.Text();
  if (!text.has_value()) return std::nullopt;
  if (*text == "order") return Prefer::kOrder;
  if (*text == "latency") return Prefer::kLatency;
  if (*text == "cost") return Prefer::kCost;
  cursor.Fault("is not order, latency or cost");
  return std::nullopt;
}

TaskDraft ReadTask(const std::string& id, const YamlCursor& cursor) {
  TaskDraft task;
  task.id = id;
  task.place = {cursor.line(), cursor.path()};
  ReadFields(
      cursor,
      {{"primary", [&](const YamlCursor& c) { task.primary = ReadNames(c); }},
       {"fallback", [&](const YamlCursor& c) { task.fallback = ReadNames(c); }},
       {"prefer", [&](const YamlCursor& c) { task.prefer = ReadPrefer(c); }}});
  return task;
}

// "0" needs no unit: it turns probes off.
void ReadProbeInterval(const YamlCursor& cursor, absl::Duration* interval) {
  const std::optional<std::string> text = cursor.Text();
  if (!text.has_value()) return;
  *interval = absl::ZeroDuration();
  if (*text == "0") return;
  const std::optional<absl::Duration> read = cursor.Duration();
  if (!read.has_value()) return;
  if (*read > absl::ZeroDuration() && *read < absl::Seconds(1)) {
    return cursor.Fault("is shorter than 1s; 0 turns probes off");
  }
  *interval = *read;
}

bool IsTaskName(std::string_view text) {
  if (text.empty() || text.size() > 64) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

void ReadRate(const YamlCursor& cursor, std::vector<ExchangeRate>* rates) {
  ExchangeRate rate;
  std::optional<absl::Time> since;
  ReadFields(
      cursor,
      {{"from",
        [&](const YamlCursor& c) {
          rate.from = c.Checked(CheckCurrencySetting).value_or("");
        }},
       {"to",
        [&](const YamlCursor& c) {
          rate.to = c.Checked(CheckCurrencySetting).value_or("");
        }},
       {"rate",
        [&](const YamlCursor& c) {
          const std::optional<std::string> text = c.Text();
          if (!text.has_value()) return;
          const auto value = ParseDecimal(*text, kRateDecimals);
          if (!value.ok() || *value <= 0) {
            return c.Fault("is not a positive decimal with at most 9 decimals");
          }
          rate.rate = *text;
        }},
       {"since", [&](const YamlCursor& c) {
          since = c.Parsed<absl::Time>(ParseTimeSetting);
        }}});
  for (const auto& [name, text] :
       {std::pair("from", &rate.from), std::pair("to", &rate.to),
        std::pair("rate", &rate.rate)}) {
    if (text->empty()) cursor.Fault(Cat("needs a valid ", name));
  }
  if (!rate.from.empty() && rate.from == rate.to) {
    cursor.Fault("converts a currency to itself");
  }
  rate.since = since.value_or(absl::InfinitePast());
  for (const ExchangeRate& other : *rates) {
    if (other.from == rate.from && other.to == rate.to &&
        other.since == rate.since) {
      cursor.Fault("repeats a rate for the same currencies and time");
      break;
    }
  }
  rates->push_back(std::move(rate));
}

}  // namespace

void ReadTasks(const YamlCursor& section, ConfigDraft* draft) {
  for (const auto& [id, cursor] : section.Members()) {
    if (!IsTaskName(id)) {
      cursor.Fault("a task's name is 1 to 64 letters, digits, '_', '-' or '.'");
      continue;
    }
    draft->tasks.push_back(ReadTask(id, cursor));
  }
}

void ReadRouting(const YamlCursor& section, ConfigDraft* draft) {
  RoutingPolicy& policy = draft->policy;
  const auto duration = [](absl::Duration* to) {
    return [to](const YamlCursor& c) { *to = c.Duration().value_or(*to); };
  };
  ReadFields(section, {{"default_task",
                        [&](const YamlCursor& c) {
                          policy.default_task =
                              c.Text().value_or(policy.default_task);
                          draft->default_task_place = {c.line(), c.path()};
                        }},
                       {"max_attempts",
                        [&](const YamlCursor& c) {
                          policy.max_attempts = static_cast<int>(
                              c.Int(1, 20).value_or(policy.max_attempts));
                        }},
                       {"max_retries_same",
                        [&](const YamlCursor& c) {
                          policy.max_retries_same = static_cast<int>(
                              c.Int(0, 10).value_or(policy.max_retries_same));
                        }},
                       {"backoff_initial", duration(&policy.backoff_initial)},
                       {"backoff_max", duration(&policy.backoff_max)},
                       {"max_wait", duration(&policy.max_wait)},
                       {"probe_interval", [&](const YamlCursor& c) {
                          ReadProbeInterval(c, &policy.probe_interval);
                        }}});
  if (policy.backoff_initial > policy.backoff_max) {
    section.Fault("backoff_initial is longer than backoff_max");
  }
}

void ReadUsage(const YamlCursor& section, ConfigDraft* draft) {
  UsageConfig& usage = draft->config.usage;
  ReadFields(section, {{"report_currency",
                        [&](const YamlCursor& c) {
                          usage.report_currency =
                              c.Checked(CheckCurrencySetting).value_or("USD");
                        }},
                       {"rates", [&](const YamlCursor& c) {
                          for (const YamlCursor& item : c.Items()) {
                            ReadRate(item, &usage.rates);
                          }
                        }}});
}

}  // namespace llm::server
