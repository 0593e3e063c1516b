#include "tests/server/config/config_support.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>

namespace llm::server {

TempFile::TempFile(const std::string& content) {
  path_ = "/tmp/llm_config_test_XXXXXX";
  const int fd = mkstemp(path_.data());
  REQUIRE(fd >= 0);
  REQUIRE(write(fd, content.data(), content.size()) ==
          static_cast<ssize_t>(content.size()));
  close(fd);
}

TempFile::~TempFile() { std::remove(path_.c_str()); }

const std::vector<BuiltInProvider>& TestProviders() {
  static const auto* const kProviders = new std::vector<BuiltInProvider>{
      {"deepseek",
       "openai",
       "deepseek",
       "https://api.deepseek.com",
       {"DEEPSEEK_API_KEY"},
       "USD",
       "deepseek",
       true,
       true},
      {"openai",
       "openai",
       "openai",
       "https://api.openai.com/v1",
       {"OPENAI_API_KEY"},
       "USD",
       "openai",
       true,
       true},
      {"qwen",
       "openai",
       "qwen",
       "https://dashscope.aliyuncs.com/compatible-mode/v1",
       {"DASHSCOPE_API_KEY"},
       "CNY",
       "qwen",
       true,
       true},
      {"qwen-intl",
       "openai",
       "qwen",
       "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
       {"DASHSCOPE_API_KEY"},
       "USD",
       "qwen-intl",
       false,
       true},
      {"anthropic",
       "anthropic",
       "",
       "https://api.anthropic.com",
       {"ANTHROPIC_API_KEY"},
       "USD",
       "anthropic",
       true,
       true},
      {"gemini",
       "gemini",
       "",
       "https://generativelanguage.googleapis.com/v1beta",
       {"GEMINI_API_KEY", "GOOGLE_API_KEY"},
       "USD",
       "gemini",
       true,
       true},
      {"groq",
       "openai",
       "groq",
       "https://api.groq.com/openai/v1",
       {"GROQ_API_KEY"},
       "USD",
       "groq",
       false,
       true},
      {"zhipu",
       "openai",
       "zhipu",
       "https://open.bigmodel.cn/api/paas/v4",
       {"ZHIPU_API_KEY", "ZHIPUAI_API_KEY"},
       "CNY",
       "zhipu",
       false,
       true},
      {"azure",
       "openai",
       "azure",
       "",
       {"AZURE_OPENAI_API_KEY"},
       "USD",
       "azure",
       false,
       true,
       "AZURE_OPENAI_ENDPOINT"},
      {"ollama",
       "openai",
       "ollama",
       "http://localhost:11434/v1",
       {"OLLAMA_API_KEY"},
       "USD",
       "ollama",
       false},
      {"simulated", "simulated", "", "", {}, "USD", "simulated", false},
  };
  return *kProviders;
}

ConfigResult LoadFile(const std::string& path, const Environment& env) {
  ConfigSources sources;
  sources.file = path;
  sources.env = [&env](const std::string& name) -> std::optional<std::string> {
    const auto it = env.find(name);
    if (it == env.end()) return std::nullopt;
    return it->second;
  };
  for (const auto& [name, value] : env) sources.env_names.push_back(name);
  sources.built_in = &TestProviders();
  return LoadConfig(sources);
}

ConfigResult LoadWithoutFile(const Environment& env) {
  return LoadFile("", env);
}

ConfigResult LoadText(const std::string& yaml, const Environment& env) {
  const TempFile file(yaml);
  ConfigResult result = LoadFile(file.path(), env);
  for (std::string& fault : result.faults) {
    if (fault.starts_with(file.path())) {
      fault.replace(0, file.path().size(), "FILE");
    }
  }
  return result;
}

std::shared_ptr<const Config> MustLoad(const std::string& yaml,
                                       const Environment& env) {
  ConfigResult result = LoadText(yaml, env);
  for (const std::string& fault : result.faults) UNSCOPED_INFO(fault);
  REQUIRE(result.faults.empty());
  REQUIRE(result.config != nullptr);
  return result.config;
}

}  // namespace llm::server
