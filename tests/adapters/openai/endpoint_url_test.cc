#include "adapters/openai/endpoint_url.h"

#include <catch2/catch.hpp>

#include "tests/adapters/openai/exchange.h"

namespace llm::openai {
namespace {

ProviderSettings Settings(const std::string& profile, const std::string& base,
                          const std::string& version = "") {
  ProviderSettings settings;
  settings.profile = profile;
  settings.base_url = base;
  settings.api_version = version;
  return settings;
}

TEST_CASE("Every form of address that Azure has can be said",
          "[adapters][openai][azure]") {
  struct Row {
    std::string base;
    std::string version;
    std::string chat;
    std::string models;
  };
  const std::string host = "https://r.openai.azure.com";
  const Row row = GENERATE_COPY(values<Row>({
      {host, "", host + "/openai/v1/chat/completions",
       host + "/openai/v1/models"},
      {host + "/openai/v1/", "", host + "/openai/v1/chat/completions",
       host + "/openai/v1/models"},
      {host + "/openai/v1", "preview",
       host + "/openai/v1/chat/completions?api-version=preview",
       host + "/openai/v1/models?api-version=preview"},
      {host, "2024-10-21",
       host + "/openai/deployments/my%20gpt/chat/completions"
              "?api-version=2024-10-21",
       host + "/openai/models?api-version=2024-10-21"},
      {host + "/openai", "2025-04-01-preview",
       host + "/openai/deployments/my%20gpt/chat/completions"
              "?api-version=2025-04-01-preview",
       host + "/openai/models?api-version=2025-04-01-preview"},
      {host + "/openai/deployments/one", "2024-10-21",
       host + "/openai/deployments/one/chat/completions"
              "?api-version=2024-10-21",
       host + "/openai/models?api-version=2024-10-21"},
  }));
  CAPTURE(row.base, row.version);
  const EndpointUrl url(Settings("azure", row.base, row.version));
  CHECK(url.Chat("my gpt") == row.chat);
  CHECK(url.Models() == row.models);
}

TEST_CASE("A model's name cannot leave its part of the path",
          "[adapters][openai][azure][SEC-1]") {
  const EndpointUrl url(
      Settings("azure", "https://r.openai.azure.com", "2024-10-21"));
  CHECK(url.Chat("..").empty());
  CHECK(url.Chat(".").empty());
  CHECK(url.Chat("").empty());
  // A name is no address: what looks escaped is escaped, once.
  CHECK(url.Chat("a%20b").find("/deployments/a%2520b/chat") !=
        std::string::npos);
  CHECK(url.Chat("a/../../b?x=1#y@evil.test") ==
        "https://r.openai.azure.com/openai/deployments/"
        "a%2F..%2F..%2Fb%3Fx%3D1%23y%40evil.test/chat/completions"
        "?api-version=2024-10-21");
}

TEST_CASE("Others keep their base as it is", "[adapters][openai]") {
  const EndpointUrl url(Settings("groq", "https://api.groq.com/openai/v1"));
  CHECK(url.Chat("a/b") == "https://api.groq.com/openai/v1/chat/completions");
  CHECK(url.Models() == "https://api.groq.com/openai/v1/models");
}

TEST_CASE("An early api_version gets Azure's early contract",
          "[adapters][openai][azure]") {
  const auto [version, id] = GENERATE(table<std::string, std::string>({
      {"", "azure"},
      {"v1", "azure"},
      {"preview", "azure"},
      {"2024-10-21", "azure-2024"},
      {"2023-05-15", "azure-2024"},
      {"2024-12-01-preview", "azure"},
      {"2025-04-01-preview", "azure"},
  }));
  CAPTURE(version);
  CHECK(ProfileFor(Settings("azure", "https://r.test", version)).id == id);
}

}  // namespace
}  // namespace llm::openai
