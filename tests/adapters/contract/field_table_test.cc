// What becomes of every field of a request at every kind of provider, found
// out by sending it; the README shows exactly this table [TRN-6].
//
// LLM_UPDATE_README=1 writes the table instead of comparing it.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "adapters/core/json.h"
#include "server/http/parse_chat_request.h"
#include "tests/adapters/contract/contract_exchange.h"

namespace llm {
namespace {

constexpr char kBegin[] = "<!-- fields: begin -->\n";
constexpr char kEnd[] = "<!-- fields: end -->\n";

struct Column {
  std::string title;
  Target target;
};

std::vector<Column> Columns() {
  const std::string url = "https://upstream.test/v1";
  return {
      {"openai",
       {.dialect = "openai",
        .profile = "openai",
        .base_url = url,
        .model = "gpt-4.1"}},
      {"deepseek",
       {.dialect = "openai",
        .profile = "deepseek",
        .base_url = url,
        .model = "deepseek-flash"}},
      {"qwen",
       {.dialect = "openai",
        .profile = "qwen",
        .base_url = url,
        .model = "qwen-plus"}},
      {"anthropic",
       {.dialect = "anthropic",
        .base_url = "https://upstream.test",
        .model = "claude-sonnet-4-5"}},
      {"gemini",
       {.dialect = "gemini",
        .base_url = "https://upstream.test/v1beta",
        .model = "gemini-2.5-flash"}},
      {"others",
       {.dialect = "openai", .base_url = url, .model = "local-model"}},
  };
}

// A field, a value that is not what leaving it out would say, and what else
// the request needs for it to mean something.
struct Field {
  std::string name;
  std::string value;
  std::string with = {};
};

std::vector<Field> Fields() {
  const std::string tool =
      R"("tools":[{"type":"function","function":{"name":"look","parameters":)"
      R"({"type":"object","properties":{"a":{"type":"string"}}}}}])";
  return {
      {"tools", tool.substr(tool.find('['))},
      {"tool_choice", R"("required")", tool},
      {"parallel_tool_calls", "false", tool},
      {"functions", R"([{"name":"look","parameters":{"type":"object"}}])"},
      {"function_call", R"({"name":"look"})",
       R"("functions":[{"name":"look","parameters":{"type":"object"}}])"},
      {"response_format (json_object)", R"({"type":"json_object"})"},
      {"response_format (json_schema)",
       R"({"type":"json_schema","json_schema":{"name":"n","schema":)"
       R"({"type":"object","properties":{"a":{"type":"string"}},)"
       R"("required":["a"],"additionalProperties":false}}})"},
      {"max_completion_tokens", "100"},
      {"max_tokens", "100"},
      {"temperature", "0.5"},
      {"top_p", "0.5"},
      {"top_k", "5"},
      {"frequency_penalty", "0.5"},
      {"presence_penalty", "0.5"},
      {"logit_bias", R"({"5":1})"},
      {"logprobs", "true"},
      {"top_logprobs", "2", R"("logprobs":true)"},
      {"n", "2"},
      {"seed", "7"},
      {"stop", R"(["END"])"},
      {"reasoning_effort", R"("high")"},
      {"verbosity", R"("low")"},
      {"modalities", R"(["text","audio"])"},
      {"audio", R"({"voice":"alloy","format":"wav"})"},
      {"prediction", R"({"type":"content","content":"x"})"},
      {"service_tier", R"("flex")"},
      {"store", "true"},
      {"metadata", R"({"a":"b"})"},
      {"user", R"("u-1")"},
      {"safety_identifier", R"("s-1")"},
      {"prompt_cache_key", R"("k-1")"},
      {"prompt_cache_retention", R"("24h")"},
      {"prompt_cache_options", R"({"mode":"auto"})"},
      {"web_search_options", "{}"},
      {"moderation", R"({"model":"m"})"},
      {"(unknown)", R"("x")"},
  };
}

std::string MemberName(const Field& field) {
  if (field.name == "(unknown)") return "brand_new_field";
  return field.name.substr(0, field.name.find(' '));
}

ChatRequest Request(const std::string& members) {
  std::string body =
      R"({"model":"m","messages":[{"role":"user","content":"Hi"}])";
  if (!members.empty()) body += "," + members;
  body += "}";
  auto request = server::ParseChatRequest(
      std::make_shared<const std::string>(std::move(body)));
  INFO(members);
  REQUIRE(request.ok());
  return *std::move(request);
}

// Paths of what `after` says that `before` does not, as far as it is new.
void Differences(JsonValue before, JsonValue after, const std::string& path,
                 std::set<std::string>* out) {
  const bool shallow = path.find('.') == std::string::npos;
  const bool opens =
      !before && shallow && after.is_object() && after.size() > 0;
  if (!before && !opens) {
    out->insert(path);
    return;
  }
  if ((!opens && before.type() != after.type()) ||
      (!after.is_object() && before.raw() != after.raw())) {
    out->insert(path);
    return;
  }
  if (!after.is_object()) return;
  for (JsonValue v = after.First(); v; v = v.Next()) {
    const std::string key = v.Key();
    Differences(before.Find(key), v, path.empty() ? key : path + "." + key,
                out);
  }
}

std::string Code(const std::string& text) { return "`" + text + "`"; }

std::string ListOf(const std::set<std::string>& paths) {
  std::string out;
  for (const std::string& path : paths) {
    out += (out.empty() ? "" : ", ") + Code(path);
  }
  return out;
}

Played Sent(const Column& column, const std::string& members) {
  Playing how;
  how.request = Request(members);
  return Play(column.target, {}, how);
}

bool Names(const std::vector<std::string>& dropped, const std::string& field) {
  return std::any_of(dropped.begin(), dropped.end(),
                     [&](const std::string& name) {
                       return name == field || name.starts_with(field + ".");
                     });
}

// One cell: what became of the field.
std::string Fate(const Column& column, const Field& field) {
  const std::string name = MemberName(field);
  const std::string member = JsonQuote(name) + ":" + field.value;
  const Played before = Sent(column, field.with);
  const Played after =
      Sent(column, field.with.empty() ? member : field.with + "," + member);
  if (after.requests.empty()) return "400";
  // What is needed beside it may be refused already.
  if (before.requests.empty()) return "400";
  const auto was = JsonDocument::Parse(before.requests[0].body);
  const auto is = JsonDocument::Parse(after.requests[0].body);
  REQUIRE(was.ok());
  REQUIRE(is.ok());
  std::set<std::string> changed;
  Differences(was->root(), is->root(), "", &changed);
  const bool dropped = Names(after.result.dropped, name);
  if (changed.empty()) {
    if (dropped) return "dropped";
    return name == "user" || name == "metadata" ? "recorded" : "met";
  }
  const JsonValue same = is->root().Find(name);
  const bool own =
      std::all_of(changed.begin(), changed.end(), [&](const std::string& path) {
        return path == name || path.starts_with(name + ".");
      });
  std::string cell =
      own && same.raw() == field.value ? "as is" : ListOf(changed);
  if (dropped) cell += " (changed)";
  return cell;
}

std::string Table() {
  std::string out = "| field |";
  std::string rule = "|---|";
  for (const Column& column : Columns()) {
    out += " " + column.title + " |";
    rule += "---|";
  }
  out += "\n" + rule + "\n";
  for (const Field& field : Fields()) {
    out += "| " + Code(field.name) + " |";
    for (const Column& column : Columns())
      out += " " + Fate(column, field) + " |";
    out += "\n";
  }
  return out;
}

std::string ReadmePath() { return LLM_SOURCE_DIR "/README.md"; }

std::string Readme() {
  std::ifstream in(ReadmePath());
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

TEST_CASE("the README's table of fields is what the code does",
          "[adapters][contract][TRN-6]") {
  const std::string readme = Readme();
  const size_t begin = readme.find(kBegin);
  const size_t end = readme.find(kEnd);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  const size_t from = begin + sizeof(kBegin) - 1;
  const std::string table = Table();
  if (std::getenv("LLM_UPDATE_README") != nullptr) {
    std::ofstream(ReadmePath())
        << readme.substr(0, from) << table << readme.substr(end);
    return;
  }
  INFO("LLM_UPDATE_README=1 writes it anew");
  CHECK(readme.substr(from, end - from) == table);
}

TEST_CASE("what is dropped is named, and a strict caller is refused instead",
          "[adapters][contract][TRN-6]") {
  for (const Column& column : Columns()) {
    for (const Field& field : Fields()) {
      const std::string name = MemberName(field);
      const std::string member = JsonQuote(name) + ":" + field.value;
      Playing how;
      how.request =
          Request(field.with.empty() ? member : field.with + "," + member);
      const Played lax = Play(column.target, {}, how);
      how.strict = true;
      const Played strict = Play(column.target, {}, how);
      CAPTURE(column.title, name);
      const bool refused = lax.requests.empty();
      CHECK(strict.requests.empty() ==
            (refused || !lax.result.dropped.empty()));
      if (!strict.requests.empty()) continue;
      CHECK(strict.result.failure.failure == FailureClass::kUnsupported);
      CHECK_FALSE(strict.result.failure.param.empty());
      CHECK_FALSE(strict.result.dispatched);
    }
  }
}

}  // namespace
}  // namespace llm
