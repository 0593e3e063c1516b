// Every kind of fault, with its exact place.
#include <catch2/catch.hpp>

#include "tests/server/config/config_support.h"

namespace llm::server {
namespace {

struct FaultCase {
  std::string yaml;
  std::string fault;  // the beginning of the only line
};

void CheckOnlyFault(const FaultCase& one) {
  CAPTURE(one.yaml);
  const ConfigResult result =
      LoadText(one.yaml, {{"SET", "sk-1"}, {"EMPTY", ""}});
  CHECK(result.config == nullptr);
  CAPTURE(result.faults);
  REQUIRE(result.faults.size() == 1);
  CHECK(result.faults.front().starts_with(one.fault));
}

TEST_CASE("Unknown and duplicate keys are faults with the closest known name",
          "[config][faults][OPS-4]") {
  CheckOnlyFault(GENERATE(values<FaultCase>({
      {"servers: {}\n", "FILE:1: servers: unknown key (did you mean server?)"},
      {"server:\n  htp: {listen: 127.0.0.1:1}\n",
       "FILE:2: server.htp: unknown key (did you mean http?)"},
      {"server:\n  http:\n    lisen: \"127.0.0.1:1\"\n",
       "FILE:3: server.http.lisen: unknown key (did you mean listen?)"},
      {"\nauth:\n  mod: keys\n",
       "FILE:3: auth.mod: unknown key (did you mean mode?)"},
      {"providers:\n  simulated:\n    api_key: x\n",
       "FILE:3: providers.simulated.api_key: unknown key (did you mean "
       "api_keys?)"},
      {"providers: {simulated: {}}\nmodels:\n  m:\n    provider: simulated\n"
       "    contextwindow: 5\n",
       "FILE:5: models.m.contextwindow: unknown key (did you mean "
       "context_window?)"},
      {"server:\n  workers: 1\n  workers: 2\n",
       "FILE:3: server.workers: is given twice"},
      {"providers:\n  simulated: {}\n  simulated: {}\n",
       "FILE:3: providers.simulated: is given twice"},
      {"zzzzzzzzzzzz: 1\n", "FILE:1: zzzzzzzzzzzz: unknown key"},
  })));
}

TEST_CASE("Values of the wrong kind are faults", "[config][faults][OPS-4]") {
  CheckOnlyFault(GENERATE(values<FaultCase>({
      {"server: 5\n", "FILE:1: server: must be a mapping"},
      {"server: {workers: [1]}\n",
       "FILE:1: server.workers: must be a single value"},
      {"server: {workers: }\n", "FILE:1: server.workers: has no value"},
      {"server: {cors: yes}\n", "FILE:1: server.cors: must be a list"},
      {"server:\n  cors: [\"https://a.example\",\n    nonsense]\n",
       "FILE:3: server.cors[1]: 'nonsense' is not an origin"},
      {"server: {workers: two}\n",
       "FILE:1: server.workers: 'two' is not a whole number"},
      {"server: {drain: 30}\n",
       "FILE:1: server.drain: '30' is not a duration with a unit"},
      {"server: {max_body: 33554432}\n",
       "FILE:1: server.max_body: '33554432' is not a size with a unit"},
      {"auth: {mode: open}\n", "FILE:1: auth.mode: 'open' is not keys or none"},
      {"store: {postgres: \"db\"}\n", "FILE:1: store.postgres: comes later"},
      {"? [a, b]\n: 1\n", "FILE:1: : has a key that is not plain text"},
  })));
}

TEST_CASE("Impossible limits are faults", "[config][faults][OPS-4]") {
  CheckOnlyFault(GENERATE(values<FaultCase>({
      {"server: {workers: 0}\n",
       "FILE:1: server.workers: '0' is not between 1 and 1024"},
      {"server: {workers: -2}\n",
       "FILE:1: server.workers: '-2' is not between"},
      {"server: {http: {listen: \"127.0.0.1:70000\"}}\n",
       "FILE:1: server.http.listen: '70000' is not a port"},
      {"server: {max_body: 2GiB}\n",
       "FILE:1: server.max_body: must be between"},
      {"routing: {max_attempts: 0}\n",
       "FILE:1: routing.max_attempts: '0' is not between 1 and 20"},
      {"routing: {max_attempts: 21}\n",
       "FILE:1: routing.max_attempts: '21' is not between 1 and 20"},
      {"server: {max_in_flight: 0}\n",
       "FILE:1: server.max_in_flight: '0' is not between"},
      {"server: {max_connections: many}\n",
       "FILE:1: server.max_connections: 'many' is not a whole number"},
      {"server: {max_body_memory: 1KiB}\n",
       "FILE:1: server.max_body_memory: must be at least 1MiB"},
      {"server:\n  max_body: 32MiB\n  max_body_memory: 16MiB\n",
       "FILE:3: server.max_body_memory: is less than server.max_body"},
      {"providers: {simulated: {max_queue: -1}}\n",
       "FILE:1: providers.simulated.max_queue: '-1' is not between"},
      {"providers: {simulated: {queue_timeout: 5}}\n",
       "FILE:1: providers.simulated.queue_timeout: "},
      {"providers: {simulated: {max_in_flight: 0}}\n",
       "FILE:1: providers.simulated.max_in_flight: '0' is not between"},
      {"providers:\n  simulated:\n    timeouts:\n      first_content: 10m\n"
       "      total: 1m\n",
       "FILE:3: providers.simulated.timeouts.first_content: 10m is longer "
       "than total, 1m"},
      {"providers: {simulated: {timeouts: {idle: 0s}}}\n",
       "FILE:1: providers.simulated.timeouts.idle: must be at least 1ms"},
      {"providers: {simulated: {simulated: {failure_rate: 1.5}}}\n",
       "FILE:1: providers.simulated.simulated.failure_rate: '1.5' is not a "
       "share"},
      {"providers: {simulated: {simulated: {fail_status: 200}}}\n",
       "FILE:1: providers.simulated.simulated.fail_status: '200' is not "
       "between 400 and 599"},
      {"server:\n  http: {listen: \"127.0.0.1:5\"}\n"
       "  grpc: {listen: \"127.0.0.1:5\"}\n",
       "FILE:3: server.grpc.listen: is the address of server.http.listen"},
      {"server: {http: {tls: {cert_file: /etc/hostname}}}\n",
       "FILE:1: server.http.tls.cert_file: needs key_file too"},
  })));
}

TEST_CASE("Providers that cannot work are faults", "[config][faults]") {
  CheckOnlyFault(GENERATE(values<FaultCase>({
      {"providers: {mine: {api_keys: [\"env:SET\"]}}\n",
       "FILE:1: providers.mine: needs a base_url"},
      {"providers: {deepseek: {}}\n",
       "FILE:1: providers.deepseek: needs api_keys, or DEEPSEEK_API_KEY set"},
      {"providers: {groq: {}}\n",
       "FILE:1: providers.groq: needs api_keys, or GROQ_API_KEY set"},
      {"providers: {zhipu: {}}\n",
       "FILE:1: providers.zhipu: needs api_keys, or ZHIPU_API_KEY or "
       "ZHIPUAI_API_KEY set"},
      {"providers: {azure: {api_keys: [\"env:SET\"]}}\n",
       "FILE:1: providers.azure: needs a base_url, or AZURE_OPENAI_ENDPOINT "
       "set"},
      {"providers: {azure: {base_url: \"https://r.test\", api_keys: "
       "[\"env:SET\"], api_version: \"a b\"}}\n",
       "FILE:1: providers.azure.api_version: 'a b' is not an API version"},
      {"providers: {mine: {dialect: opnai, base_url: \"http://h/v1\"}}\n",
       "FILE:1: providers.mine.dialect: unknown dialect (did you mean "
       "openai?)"},
      {"providers:\n  claude:\n    dialect: anthropic\n",
       "FILE:2: providers.claude: needs a base_url: it is not a provider known "
       "by name"},
      {"providers: {Mine: {base_url: \"http://h/v1\"}}\n",
       "FILE:1: providers.Mine: a provider's name is"},
      {"providers: {m: {base_url: \"http://h/v1\", currency: usd}}\n",
       "FILE:1: providers.m.currency: 'usd' is not a currency code"},
      {"providers: {m: {base_url: \"http://u:p@h/v1\"}}\n",
       "FILE:1: providers.m.base_url: must not carry a user or password"},
      {"providers: {m: {base_url: \"http://h/v1\", proxy: \"h:1\"}}\n",
       "FILE:1: providers.m.proxy: is not an http://"},
      {"providers: {m: {base_url: \"http://h/v1\", ca_file: /no/such}}\n",
       "FILE:1: providers.m.ca_file: cannot read /no/such"},
      {"providers: {m: {base_url: \"http://h/v1\", profile: deepsek}}\n",
       "FILE:1: providers.m.profile: unknown profile (did you mean deepseek?)"},
      {"providers: {m: {base_url: \"http://h/v1\", simulated: {latency: 1s}}}"
       "\n",
       "FILE:1: providers.m: simulated options need dialect: simulated"},
  })));
}

TEST_CASE("Secrets are references, set and readable",
          "[config][faults][SEC-5][OPS-4]") {
  CheckOnlyFault(GENERATE(values<FaultCase>({
      {"providers: {m: {base_url: \"http://h/v1\",\n"
       "  api_keys: [sk-verysecret]}}\n",
       "FILE:2: providers.m.api_keys[0]: secrets are given by reference only"},
      {"providers: {m: {base_url: \"http://h/v1\", api_keys: [\"env:NO\"]}}\n",
       "FILE:1: providers.m.api_keys[0]: environment variable NO is not set"},
      {"providers: {m: {base_url: \"http://h/v1\", api_keys: [\"env:EMPTY\"]}}"
       "\n",
       "FILE:1: providers.m.api_keys[0]: environment variable EMPTY is empty"},
      {"providers: {m: {base_url: \"http://h/v1\", api_keys: [\"file:/no\"]}}"
       "\n",
       "FILE:1: providers.m.api_keys[0]: cannot read /no"},
      {"providers: {m: {base_url: \"http://h/v1\", api_keys: [\"file:/tmp\"]}}"
       "\n",
       "FILE:1: providers.m.api_keys[0]: cannot read /tmp"},
      {"auth: {admin_key: sk-verysecret}\n",
       "FILE:1: auth.admin_key: secrets are given by reference only"},
  })));
}

TEST_CASE("No fault repeats an inline secret", "[config][faults][SEC-5]") {
  const ConfigResult result = LoadText(
      "auth: {admin_key: sk-verysecret}\n"
      "providers: {openai: {api_keys: [sk-verysecret, \"env:X\"]}}\n");
  REQUIRE(result.faults.size() == 3);
  for (const std::string& fault : result.faults) {
    CHECK(fault.find("verysecret") == std::string::npos);
  }
}

TEST_CASE("What is not a YAML mapping is one clear fault",
          "[config][faults][OPS-4]") {
  std::string deep(100'000, '[');
  std::string nested;
  for (int i = 0; i < 3000; ++i) nested += std::string(i % 80, ' ') + "- \n";
  CheckOnlyFault(GENERATE_COPY(values<FaultCase>({
      {"server: {workers: 1\n", "FILE:2: yaml: "},
      {"server:\n\tworkers: 1\n", "FILE:2: yaml: "},
      {"a: *nowhere\n", "FILE:1: yaml: "},
      {"- a\n- b\n", "FILE:1: yaml: the file is not a mapping"},
      {"just words\n", "FILE:1: yaml: the file is not a mapping"},
      {"a: 1\n---\nb: 2\n", "FILE:1: yaml: the file holds more than one"},
      {std::string("a\0b: 1\n", 7), "FILE:1: yaml: the file is not UTF-8"},
      {"\xff\xfe\x01\x02", "FILE:1: yaml: the file is not UTF-8"},
      {deep, "FILE:1: yaml: brackets are nested too deep"},
      {std::string(5 << 20, ' '), "FILE:1: yaml: the file is larger than"},
  })));
}

TEST_CASE("A missing file is a fault", "[config][faults]") {
  const ConfigResult result = LoadFile("/no/such/llm.yaml", {});
  REQUIRE(result.faults.size() == 1);
  CHECK(result.faults[0].starts_with("/no/such/llm.yaml:1: yaml: cannot read"));
}

TEST_CASE("Deep block nesting and garbage never crash", "[config][faults]") {
  std::string deep;
  for (int i = 0; i < 20'000; ++i) deep += "- ";
  CHECK_FALSE(LoadText(deep).faults.empty());
  uint32_t state = 1;
  for (int round = 0; round < 300; ++round) {
    std::string garbage;
    for (int i = 0; i < 200; ++i) {
      state = state * 1664525u + 1013904223u;
      static constexpr char kAlphabet[] = "ab:-[]{}&*!|>'\"%@`#,? \n\t0";
      garbage += kAlphabet[(state >> 16) % (sizeof(kAlphabet) - 1)];
    }
    const ConfigResult result = LoadText(garbage);
    CHECK((result.config == nullptr) == !result.faults.empty());
  }
}

TEST_CASE("All faults are reported, in the order of their lines",
          "[config][faults][OPS-4]") {
  const ConfigResult result = LoadText(
      "server:\n"
      "  workers: 0\n"
      "  drain: soon\n"
      "providers:\n"
      "  simulated: {max_in_flight: -1}\n"
      "models:\n"
      "  a: {provider: nobody}\n"
      "  b: {}\n"
      "tasks:\n"
      "  t: {primary: [simulated, ghost]}\n"
      "  u: {prefer: speed}\n"
      "routing: {default_task: nothing}\n");
  const std::vector<std::string> want = {
      "FILE:2: server.workers: '0' is not between 1 and 1024",
      "FILE:3: server.drain: 'soon' is not a duration with a unit, such as "
      "250ms, 5s, 10m or 1h",
      "FILE:5: providers.simulated.max_in_flight: '-1' is not between 1 and "
      "100000",
      "FILE:7: models.a.provider: no provider 'nobody' is configured",
      "FILE:8: models.b: needs a provider: no enabled provider offers it",
      "FILE:10: tasks.t.primary[1]: no model 'ghost' is served",
      "FILE:11: tasks.u.prefer: is not order, latency or cost",
      "FILE:11: tasks.u: needs at least one primary model",
      "FILE:12: routing.default_task: no task 'nothing' is known"};
  CHECK(result.faults == want);
}

TEST_CASE("Settings of embeddings that cannot be are faults",
          "[config][faults][embeddings]") {
  CheckOnlyFault(GENERATE(values<FaultCase>({
      {"embeddings: {cache: {max_bytes: 10KiB}}\n",
       "FILE:1: embeddings.cache.max_bytes: must be at least 1MiB"},
      {"embeddings: {cache: {max_bytes: 8MiB, ttl: 1ms}}\n",
       "FILE:1: embeddings.cache.ttl: must be at least 1s"},
      {"embeddings: {cache: {ttl: 1h}}\n",
       "FILE:1: embeddings.cache.ttl: needs max_bytes too: without it nothing "
       "is kept"},
      {"embeddings: {cache: {max_byte: 8MiB}}\n",
       "FILE:1: embeddings.cache.max_byte: unknown key (did you mean "
       "max_bytes?)"},
      {"embeddings: {cash: {}}\n",
       "FILE:1: embeddings.cash: unknown key (did you mean cache?)"},
      {"providers: {simulated: {}}\nmodels:\n"
       "  m: {provider: simulated, capabilities: [embeddings, tools]}\n",
       "FILE:3: models.m.capabilities: embeddings stands alone"},
  })));
}

}  // namespace
}  // namespace llm::server
