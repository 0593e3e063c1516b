// What a good configuration becomes.
#include <catch2/catch.hpp>

#include "tests/server/config/config_support.h"

namespace llm::server {
namespace {

constexpr char kTwoProviders[] =
    "providers:\n"
    "  qwen-intl: {api_keys: [\"env:K\"]}\n"
    "  qwen: {api_keys: [\"env:K\", \"env:K2\"]}\n";

bool Mentions(const std::vector<std::string>& lines, std::string_view text) {
  for (const std::string& line : lines) {
    if (line.find(text) != std::string::npos) return true;
  }
  return false;
}

TEST_CASE("Without a file and without keys the simulated provider answers",
          "[config]") {
  const ConfigResult result = LoadWithoutFile({});
  REQUIRE(result.faults.empty());
  const Config& config = *result.config;
  CHECK(config.table->providers.size() == 1);
  CHECK(config.table->providers.contains("simulated"));
  CHECK(config.auth.mode == AuthMode::kNone);
  CHECK(Mentions(config.notices, "the simulated provider answers"));
  REQUIRE(config.table->tasks.contains("general"));
  CHECK(config.table->tasks.at("general").primary[0].value == "simulated");
}

TEST_CASE("Without a file every provider whose key is set is on", "[config]") {
  const ConfigResult result =
      LoadWithoutFile({{"DEEPSEEK_API_KEY", "sk-d"},
                       {"DASHSCOPE_API_KEY", "sk-q"},
                       {"OPENAI_API_KEY", ""},
                       {"ANTHROPIC_API_KEY", "sk-a"},
                       {"GOOGLE_API_KEY", "sk-g"},
                       {"LLM_SERVICE_ADMIN_KEY", "sk-admin"}});
  REQUIRE(result.faults.empty());
  const Config& config = *result.config;
  CHECK(config.table->providers.size() == 4);
  CHECK(config.table->providers.at("deepseek").api_keys[0].Equals("sk-d"));
  CHECK(config.table->providers.at("qwen").currency.code == "CNY");
  CHECK(config.auth.mode == AuthMode::kKeys);
  CHECK(config.auth.admin_key.Equals("sk-admin"));
  CHECK(config.table->providers.at("anthropic").dialect == "anthropic");
  CHECK(config.table->models.contains("claude-sonnet-5"));
  CHECK(config.table->providers.at("gemini").api_keys[0].Equals("sk-g"));
  CHECK(config.table->models.at("gemini-2.5-pro").traits.context_window >
        1'000'000);
  CHECK_FALSE(Mentions(config.notices, "sk-"));
}

TEST_CASE("A file without providers takes those of the environment",
          "[config]") {
  for (const std::string yaml : {"", "# nothing\n", "server: {workers: 3}\n"}) {
    const auto config = MustLoad(yaml, {{"OPENAI_API_KEY", "sk-o"}});
    CHECK(config->table->providers.contains("openai"));
    CHECK(config->table->models.contains("gpt-4o"));
  }
}

TEST_CASE("auth.mode none is refused unless every listener is loopback",
          "[config][SEC-4]") {
  const ConfigResult result = LoadText(
      "auth: {mode: none}\nserver:\n  metrics: {listen: \"0.0.0.0:9464\"}\n");
  REQUIRE(result.faults.size() == 1);
  CHECK(result.faults[0].starts_with(
      "FILE:3: server.metrics.listen: is not loopback"));
  CHECK(MustLoad("auth: {mode: none}\n")->auth.mode == AuthMode::kNone);
}

TEST_CASE("auth.mode keys needs an admin key", "[config][SEC-4]") {
  const ConfigResult result = LoadText("\nauth: {mode: keys}\n");
  REQUIRE(result.faults.size() == 1);
  CHECK(result.faults[0].starts_with("FILE:2: auth.mode: keys needs"));
  const auto config =
      MustLoad("auth: {mode: keys}\n", {{"LLM_SERVICE_ADMIN_KEY", "sk-a"}});
  CHECK(config->auth.admin_key.Equals("sk-a"));
}

TEST_CASE("The environment overrides scalars of server, auth and store",
          "[config]") {
  const auto config =
      MustLoad("server: {workers: 2, http: {listen: \"127.0.0.1:1\"}}\n",
               {{"LLM_SERVICE_SERVER_HTTP_LISTEN", "0.0.0.0:8004"},
                {"LLM_SERVICE_SERVER_WORKERS", "7"},
                {"LLM_SERVICE_SERVER_MAX_BODY", "1MiB"},
                {"LLM_SERVICE_AUTH_ADMIN_KEY", "env:OTHER"},
                {"LLM_SERVICE_STORE_SQLITE", "/data/x.db"},
                {"OTHER", "sk-other"}});
  CHECK(config->server.http.address == "0.0.0.0:8004");
  CHECK(config->server.workers == 7);
  CHECK(config->server.max_body == 1 << 20);
  CHECK(config->auth.admin_key.Equals("sk-other"));
  CHECK(config->store.sqlite == "/data/x.db");
  CHECK(config->store.ledger);
}

TEST_CASE("A variable cures what the file says wrong", "[config]") {
  const auto config = MustLoad("server: {workers: many, max_body: 12}\n",
                               {{"LLM_SERVICE_SERVER_WORKERS", "7"},
                                {"LLM_SERVICE_SERVER_MAX_BODY", "1MiB"}});
  CHECK(config->server.workers == 7);
  CHECK(config->server.max_body == 1 << 20);
}

TEST_CASE("The bounds of load have settings, and sensible ones without",
          "[config]") {
  const ServerConfig defaults = MustLoad("")->server;
  CHECK(defaults.max_in_flight == 10'000);
  CHECK(defaults.max_connections == 20'000);
  const auto config = MustLoad(
      "server: {max_in_flight: 7, max_connections: 9, max_body_memory: 1GiB}\n"
      "providers: {simulated: {max_in_flight: 3, max_queue: 0, "
      "queue_timeout: 2s}}\n");
  CHECK(config->server.max_in_flight == 7);
  CHECK(config->server.max_connections == 9);
  CHECK(config->server.max_body_memory == int64_t{1} << 30);
  const ProviderSettings& provider = config->table->providers.at("simulated");
  CHECK(provider.max_in_flight == 3);
  CHECK(provider.max_queue == 0);
  CHECK(provider.queue_timeout == absl::Seconds(2));
  CHECK(config->table->version != MustLoad("")->table->version);
}

TEST_CASE("LLM_SERVICE variables that match nothing are faults",
          "[config][OPS-4]") {
  const ConfigResult result = LoadText(
      "providers: {m: {base_url: \"http://h\", api_keys: "
      "[\"env:LLM_SERVICE_MY_KEY\"]}}\n",
      {{"LLM_SERVICE_SERVER_HTTP_LISTENS", "x"},
       {"LLM_SERVICE_SERVER_WORKERS", "0"},
       {"LLM_SERVICE_MY_KEY", "sk-1"},
       {"LLM_SERVICE_KEY", "sk-2"},
       {"LLM_SERVICE_PORT", "tcp://10.0.0.1:8004"},
       {"LLM_SERVICE_PORT_8004_TCP_ADDR", "10.0.0.1"},
       {"LLM_SERVICE_SERVICE_HOST", "10.0.0.1"}});
  REQUIRE(result.faults.size() == 2);
  CHECK(result.faults[0] ==
        "environment: LLM_SERVICE_SERVER_WORKERS: '0' is not between 1 and "
        "1024");
  CHECK(result.faults[1] ==
        "environment: LLM_SERVICE_SERVER_HTTP_LISTENS: no such setting (did "
        "you mean LLM_SERVICE_SERVER_HTTP_LISTEN?)");
}

TEST_CASE("A name that two providers offer gets both, in file order",
          "[config][catalog]") {
  const auto config = MustLoad(kTwoProviders, {{"K", "a"}, {"K2", "b"}});
  const PublicModel* model = config->table->FindModel("qwen-plus");
  REQUIRE(model != nullptr);
  REQUIRE(model->deployments.size() == 2);
  CHECK(model->deployments[0].id == "qwen-intl/qwen-plus");
  CHECK(model->deployments[1].id == "qwen/qwen-plus");
  CHECK(model->traits.context_window == 1'000'000);
  CHECK(config->table->providers.at("qwen").api_keys.size() == 2);
}

TEST_CASE("deepseek-chat and deepseek-reasoner are the flash model's modes",
          "[config][catalog]") {
  const auto config = MustLoad("", {{"DEEPSEEK_API_KEY", "sk-d"}});
  const RouteTable& table = *config->table;
  const Deployment& chat = table.models.at("deepseek-chat").deployments[0];
  const Deployment& deep = table.models.at("deepseek-reasoner").deployments[0];
  CHECK(chat.upstream_model.value == "deepseek-flash");
  CHECK(chat.reasoning == ReasoningSwitch::kOff);
  CHECK_FALSE(chat.timeouts.has_value());
  CHECK(deep.upstream_model.value == "deepseek-flash");
  CHECK(deep.reasoning == ReasoningSwitch::kOn);
  REQUIRE(deep.timeouts.has_value());
  CHECK(deep.timeouts->first_content == absl::Seconds(900));
  CHECK(deep.timeouts->idle == absl::Seconds(900));
  CHECK(table.models.at("deepseek-chat").traits.context_window == 1'000'000);
  CHECK(table.FindModel("deepseek-v4-flash")->id.value == "deepseek-flash");
}

TEST_CASE("Models add to the catalog or override it field by field",
          "[config][models]") {
  const auto config = MustLoad(
      "providers:\n"
      "  openai: {api_keys: [\"env:K\"]}\n"
      "  lab: {base_url: \"http://h:1/v1/\", timeouts: {total: 60s}}\n"
      "models:\n"
      "  gpt-4o: {context_window: 1000, capabilities: {vision: false},\n"
      "           aliases: [the-big-one]}\n"
      "  mine:\n"
      "    deployments:\n"
      "      - {provider: lab, upstream: Qwen/Qwen3-8B, weight: 3}\n"
      "      - {provider: openai, upstream: gpt-4.1}\n"
      "    capabilities: [tools, json_schema]\n"
      "    timeouts: {first_content: 10s}\n",
      {{"K", "sk-1"}});
  const RouteTable& table = *config->table;
  const PublicModel& known = table.models.at("gpt-4o");
  CHECK(known.deployments[0].id == "openai/gpt-4o");
  CHECK(known.traits.context_window == 1000);
  CHECK_FALSE(known.traits.vision);
  CHECK(known.traits.tools);
  CHECK(table.FindModel("the-big-one") == &known);
  const PublicModel& mine = table.models.at("mine");
  REQUIRE(mine.deployments.size() == 2);
  CHECK(mine.deployments[0].weight == 3);
  CHECK(mine.deployments[0].timeouts->first_content == absl::Seconds(10));
  CHECK(mine.deployments[0].timeouts->total == absl::Seconds(60));
  CHECK(mine.deployments[0].timeouts->idle == absl::Seconds(60));
  CHECK(mine.deployments[1].timeouts->total == absl::Seconds(900));
  CHECK(mine.traits.json_object);
  CHECK_FALSE(mine.traits.vision);
  CHECK(table.providers.at("lab").base_url == "http://h:1/v1");
}

TEST_CASE("An overridden price wins, also for dated served names",
          "[config][prices][COST-6]") {
  const auto config = MustLoad(
      "providers: {openai: {api_keys: [\"env:K\"]}}\n"
      "models:\n"
      "  gpt-4o: {price: {per_million: {input: \"1.5\", output: \"0\"}}}\n",
      {{"K", "sk-1"}});
  const Currency usd{"USD"};
  PriceQuery query;
  query.provider = "openai";
  query.currency = &usd;
  query.public_model = "gpt-4o";
  query.served_model = "gpt-4o-2024-11-20";
  query.requested_model = "gpt-4o";
  query.at = absl::Now();
  const PriceRow* row = config->table->prices->Find(query);
  REQUIRE(row != nullptr);
  CHECK(row->source == "configuration");
  CHECK(row->prices.input == 1'500'000);
}

TEST_CASE("A price holds for its own public model only",
          "[config][prices][COST-6]") {
  const auto config = MustLoad(
      "providers: {deepseek: {api_keys: [\"env:K\"]}, lab: {dialect: openai, "
      "base_url: \"http://h:1/v1\"}}\n"
      "models:\n"
      "  deepseek-chat: {price: {per_million: {input: \"3\", output: \"5\"}}}\n"
      "  one: {provider: lab, upstream: w,\n"
      "    price: {per_million: {input: \"1\", output: \"1\"}}}\n"
      "  two: {provider: lab, upstream: w,\n"
      "    price: {per_million: {input: \"2\", output: \"2\"}}}\n"
      "  free-of-price: {provider: lab, upstream: w}\n",
      {{"K", "sk-1"}});
  const auto input = [&](std::string_view provider, std::string_view model,
                         std::string_view upstream) {
    const Currency usd{"USD"};
    PriceQuery query;
    query.provider = provider;
    query.currency = &usd;
    query.public_model = model;
    query.requested_model = upstream;
    query.at = absl::Now();
    const PriceRow* row = config->table->prices->Find(query);
    return row == nullptr ? std::nullopt : row->prices.input;
  };
  CHECK(input("deepseek", "deepseek-chat", "deepseek-flash") == 3'000'000);
  const auto built_in =
      input("deepseek", "deepseek-reasoner", "deepseek-flash");
  REQUIRE(built_in.has_value());
  CHECK(built_in != 3'000'000);
  CHECK(input("lab", "one", "w") == 1'000'000);
  CHECK(input("lab", "two", "w") == 2'000'000);
  CHECK_FALSE(input("lab", "free-of-price", "w").has_value());
}

TEST_CASE("Prices that could never apply are faults", "[config][prices]") {
  const ConfigResult result = LoadText(
      "providers: {qwen: {api_keys: [\"env:K\"]}}\n"
      "models:\n"
      "  qwen-plus:\n"
      "    price: {currency: USD, per_million: {input: \"1\", output: \"1\"}}\n"
      "  a: {provider: qwen, upstream: x,\n"
      "    price: {per_million: {input: \"0.1234567\", output: \"1\"}}}\n",
      {{"K", "sk-1"}});
  REQUIRE(result.faults.size() >= 2);
  CHECK(result.faults[0].starts_with(
      "FILE:4: models.qwen-plus.price: is in USD, but provider qwen is "
      "billed in CNY"));
  CHECK(result.faults[1].starts_with(
      "FILE:6: models.a.price.per_million.input: '0.1234567' is not a decimal "
      "price"));
}

TEST_CASE("Aliases must not clash", "[config][models]") {
  const ConfigResult result = LoadText(
      "providers: {openai: {api_keys: [\"env:K\"]}}\n"
      "models:\n"
      "  gpt-4o: {aliases: [o1]}\n"
      "  gpt-4.1: {aliases: [same]}\n"
      "  gpt-5: {aliases: [same, auto]}\n",
      {{"K", "sk-1"}});
  REQUIRE(result.faults.size() == 3);
  CHECK(result.faults[0].starts_with("FILE:3: models.gpt-4o.aliases[0]: 'o1'"));
  CHECK(result.faults[1].starts_with("FILE:5: models.gpt-5.aliases[1]: auto"));
  CHECK(
      result.faults[2].starts_with("FILE:5: models.gpt-5.aliases[0]: 'same'"));
}

TEST_CASE("Built-in tasks skip what is not served; deep ones start deep",
          "[config][tasks]") {
  const auto config = MustLoad("", {{"DEEPSEEK_API_KEY", "k"}});
  const RouteTable& table = *config->table;
  const TaskRoute& quick = table.tasks.at("market_analysis");
  const TaskRoute& deep = table.tasks.at("risk_management");
  CHECK(quick.primary[0].value == "deepseek-chat");
  CHECK(deep.primary[0].value == "deepseek-reasoner");
  for (const auto& [id, task] : table.tasks) {
    for (const ModelId& model : task.primary) {
      CHECK(table.models.contains(model.value));
    }
    for (const ModelId& model : task.fallback) {
      CHECK(table.models.contains(model.value));
    }
  }
  CHECK(table.tasks.contains("auto-quick"));
  CHECK(table.tasks.contains("auto-deep"));
}

TEST_CASE("Tasks of the file add to the map and override it",
          "[config][tasks]") {
  const auto config = MustLoad(
      "providers: {openai: {api_keys: [\"env:K\"]}}\n"
      "tasks:\n"
      "  general: {primary: [gpt-4o, gpt-5.6], prefer: latency}\n"
      "  technical_analysis: {primary: [o1], fallback: [o3]}\n"
      "routing: {default_task: technical_analysis, max_attempts: 2}\n",
      {{"K", "sk-1"}});
  const RouteTable& table = *config->table;
  const TaskRoute& general = table.tasks.at("general");
  CHECK(general.primary == std::vector<ModelId>{{"gpt-4o"}, {"gpt-5.6-sol"}});
  CHECK(general.fallback.empty());
  CHECK(general.prefer == Prefer::kLatency);
  CHECK_FALSE(Mentions(config->notices, "prefer"));
  // It was an alias of market_analysis.
  REQUIRE(table.FindTask("technical_analysis") != nullptr);
  CHECK(table.FindTask("technical_analysis")->primary[0].value == "o1");
  CHECK(table.policy.max_attempts == 2);
}

TEST_CASE("Looks have an interval, and can be turned off", "[config]") {
  const auto interval = [](const std::string& text) {
    return MustLoad("routing: {probe_interval: " + text + "}\n", {})
        ->table->policy.probe_interval;
  };
  CHECK(interval("1m") == absl::Minutes(1));
  CHECK(interval("0") == absl::ZeroDuration());
  CHECK(MustLoad("", {})->table->policy.probe_interval == absl::Seconds(30));
  const auto one =
      MustLoad("providers: {openai: {api_keys: [\"env:K\"], probe: false}}\n",
               {{"K", "sk-1"}});
  CHECK_FALSE(one->table->providers.at("openai").probe);
}

TEST_CASE("Rates into the report currency are there for comparing prices",
          "[config]") {
  const auto config = MustLoad(
      "usage:\n"
      "  report_currency: USD\n"
      "  rates: [{from: CNY, to: USD, rate: \"0.14\"},\n"
      "          {from: USD, to: EUR, rate: \"0.9\"}]\n",
      {});
  const RouteTable& table = *config->table;
  CHECK(table.compare_currency == "USD");
  REQUIRE(table.compare_rates.size() == 1);
  CHECK(table.compare_rates[0].from == "CNY");
  CHECK(table.compare_rates[0].nano == 140'000'000);
}

TEST_CASE("A built-in key never meets an address of one's own",
          "[config][SEC-1]") {
  const auto config =
      MustLoad("providers: {openai: {base_url: \"http://127.0.0.1:1/v1\"}}\n",
               {{"OPENAI_API_KEY", "sk-o"}});
  CHECK(config->table->providers.at("openai").api_keys.empty());
}

TEST_CASE("A vendor that is known by name needs its key variable and no more",
          "[config][providers]") {
  const auto config =
      MustLoad("providers: {groq: {}, zhipu: {}}\n",
               {{"GROQ_API_KEY", "gsk"}, {"ZHIPUAI_API_KEY", "id.secret"}});
  const ProviderSettings& groq = config->table->providers.at("groq");
  CHECK(groq.base_url == "https://api.groq.com/openai/v1");
  CHECK(groq.profile == "groq");
  CHECK(groq.api_keys.at(0).Equals("gsk"));
  const ProviderSettings& zhipu = config->table->providers.at("zhipu");
  CHECK(zhipu.currency.code == "CNY");
  CHECK(zhipu.api_keys.at(0).Equals("id.secret"));
  // Its models are served under their own names.
  const PublicModel* model = config->table->FindModel("openai/gpt-oss-20b");
  REQUIRE(model != nullptr);
  CHECK(model->deployments.at(0).id == "groq/openai/gpt-oss-20b");
  CHECK(config->table->FindModel("glm-4.7") != nullptr);
}

TEST_CASE("Vendors of the contract's five alone turn on by a variable",
          "[config][providers]") {
  const ConfigResult result = LoadWithoutFile({{"GROQ_API_KEY", "gsk"}});
  REQUIRE(result.faults.empty());
  CHECK_FALSE(result.config->table->providers.contains("groq"));
}

TEST_CASE("Azure's address is the customer's, from the file or its variable",
          "[config][providers][SEC-1]") {
  const auto by_file = MustLoad(
      "providers: {azure: {base_url: \"https://r.openai.azure.com\", "
      "api_version: \"2024-10-21\"}}\n",
      {{"AZURE_OPENAI_API_KEY", "k"}});
  const ProviderSettings& one = by_file->table->providers.at("azure");
  CHECK(one.base_url == "https://r.openai.azure.com");
  CHECK(one.api_version == "2024-10-21");
  CHECK(one.api_keys.at(0).Equals("k"));
  const auto by_variable =
      MustLoad("providers: {azure: {}}\n",
               {{"AZURE_OPENAI_API_KEY", "k"},
                {"AZURE_OPENAI_ENDPOINT", "https://v.openai.azure.com/"}});
  CHECK(by_variable->table->providers.at("azure").base_url ==
        "https://v.openai.azure.com");
  CHECK(by_variable->table->version != by_file->table->version);
}

TEST_CASE("The version changes with the configuration and not with secrets",
          "[config][OPS-4]") {
  const std::string yaml = "providers: {openai: {api_keys: [\"env:K\"]}}\n";
  const auto first = MustLoad(yaml, {{"K", "sk-1"}});
  const auto again = MustLoad(yaml, {{"K", "sk-2"}});
  const auto other =
      MustLoad(yaml + "routing: {max_attempts: 3}\n", {{"K", "sk-1"}});
  CHECK(first->table->version.size() == 12);
  CHECK(first->table->version == again->table->version);
  CHECK(first->table->version != other->table->version);
}

TEST_CASE("Instances on one machine have one version", "[config][OPS-4]") {
  const auto version = [](const std::string& server, const std::string& rest) {
    return MustLoad("server: {" + server + "}\n" + rest)->table->version;
  };
  const std::string one = version("", "");
  CHECK(one == version("http: {listen: \"127.0.0.1:8014\"}, grpc: {listen: "
                       "\"127.0.0.1:50061\"}, workers: 3",
                       ""));
  CHECK(one == version("metrics: {listen: \"127.0.0.1:9474\"}",
                       "store: {sqlite: second.db}\n"));
  CHECK(one != version("max_body: 1MiB", ""));
}

TEST_CASE("Secret files are read and trimmed", "[config]") {
  const TempFile secret("  sk-from-file\r\n");
  const auto config =
      MustLoad("providers: {m: {base_url: \"http://h\", api_keys: [\"file:" +
               secret.path() + "\"]}}\n");
  CHECK(config->table->providers.at("m").api_keys[0].Equals("sk-from-file"));
}

TEST_CASE("The simulated provider takes its options", "[config]") {
  const auto config = MustLoad(
      "providers:\n  slow:\n    dialect: simulated\n"
      "    simulated: {latency: 20ms, chunk_interval: 5ms, failure_rate: 0.25,"
      " fail_status: 429}\n"
      "models: {m: {provider: slow}}\n");
  const SimulatedOptions& options =
      config->table->providers.at("slow").simulated;
  CHECK(options.latency == absl::Milliseconds(20));
  CHECK(options.chunk_interval == absl::Milliseconds(5));
  CHECK(options.failure_rate == 0.25);
  CHECK(options.fail_status == 429);
  // Free, which is not unknown, under whatever name.
  const Currency usd{"USD"};
  PriceQuery query;
  query.provider = "slow";
  query.currency = &usd;
  query.public_model = query.served_model = query.requested_model = "m";
  query.at = absl::Now();
  const PriceRow* row = config->table->prices->Find(query);
  REQUIRE(row != nullptr);
  CHECK(row->prices.input == 0);
  CHECK(row->prices.output == 0);
}

TEST_CASE("YAML anchors are shared values", "[config]") {
  const auto config = MustLoad(
      "providers:\n  a: {base_url: \"http://h\", timeouts: &t {total: 9s}}\n"
      "  b: {base_url: \"http://h\", timeouts: *t}\n");
  CHECK(config->table->providers.at("b").timeouts.total == absl::Seconds(9));
}

TEST_CASE("Embedding models are told apart from those that chat",
          "[config][embeddings]") {
  const auto config = MustLoad(
      "providers: {openai: {api_keys: [\"env:KEY\"]}}\n"
      "models:\n"
      "  own: {provider: openai, upstream: nomic, capabilities: [embeddings]}\n"
      "  talks: {provider: openai, capabilities: [tools]}\n"
      "  unsaid: {provider: openai}\n"
      "embeddings: {cache: {max_bytes: 64MiB}}\n",
      {{"KEY", "sk-1"}});
  const RouteTable& table = *config->table;
  CHECK(table.FindModel("text-embedding-3-small")->traits.embeddings == true);
  CHECK(table.FindModel("text-embedding-3-small")->traits.context_window ==
        8192);
  CHECK(table.FindModel("gpt-4o")->traits.embeddings == false);
  CHECK(table.FindModel("own")->traits.embeddings == true);
  CHECK_FALSE(table.FindModel("own")->traits.tools);
  CHECK(table.FindModel("talks")->traits.embeddings == false);
  CHECK_FALSE(table.FindModel("unsaid")->traits.embeddings.has_value());
  CHECK(config->embeddings.cache_bytes == int64_t{64} << 20);
  CHECK(config->embeddings.cache_ttl == absl::Hours(24));
  // The built-in task is theirs alone, and no other task is.
  for (const auto& [id, task] : table.tasks) {
    CAPTURE(id);
    for (const auto* tier : {&task.primary, &task.fallback}) {
      for (const ModelId& model : *tier) {
        CHECK(table.FindModel(model.value)->traits.embeddings.value_or(false) ==
              (id == "embedding"));
      }
    }
  }
  CHECK(table.FindTask("embedding") != nullptr);
}

TEST_CASE("Nothing is remembered of embeddings unless the file says so",
          "[config][embeddings]") {
  CHECK(MustLoad("providers: {simulated: {}}\n")->embeddings.cache_bytes == 0);
}

}  // namespace
}  // namespace llm::server
