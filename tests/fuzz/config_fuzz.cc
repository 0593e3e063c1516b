// A configuration file is refused with faults or gives a configuration, the
// same each time, and never says a secret.
#include <sys/mman.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include "adapters/registry.h"
#include "server/config/load_config.h"
#include "tests/fuzz/fuzz_check.h"

namespace llm::server {
namespace {

constexpr std::string_view kSecret = "canary-0123456789-abcdefghijk";

// A file without a place on disk.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view text)
      : fd_(memfd_create("config", MFD_CLOEXEC)) {
    fuzz::Check(fd_ >= 0, "a file");
    fuzz::Check(write(fd_, text.data(), text.size()) ==
                    static_cast<ssize_t>(text.size()),
                "a whole file");
  }
  ~MemoryFile() { close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

ConfigResult Load(std::string_view text) {
  const MemoryFile file(text);
  ConfigSources sources;
  sources.file = file.path();
  sources.built_in = &BuiltInProviders();
  sources.env_names = {"LLM_SERVICE_ADMIN_KEY", "KEY"};
  sources.env = [](const std::string& name) -> std::optional<std::string> {
    if (name != "LLM_SERVICE_ADMIN_KEY" && name != "KEY") return std::nullopt;
    return std::string(kSecret);
  };
#ifdef LLM_FUZZ_PLANTED
  // Throws where a number has more digits than it was made for.
  const size_t at = text.find("workers: ");
  if (at != std::string_view::npos) {
    const std::string_view number = text.substr(at + 9);
    if (number.find_first_not_of("0123456789") > 4) (void)std::stoi("");
  }
#endif
  return LoadConfig(sources);
}

bool HoldsSecretName(const YAML::Node& node, int depth) {
  if (depth > 64 || !(node.IsMap() || node.IsSequence())) return false;
  for (const auto& entry : node) {
    const YAML::Node& value = node.IsMap() ? entry.second : entry;
    if (node.IsMap() && entry.first.IsScalar() &&
        entry.first.Scalar().find(kSecret) != std::string::npos) {
      return true;
    }
    if (HoldsSecretName(value, depth + 1)) return true;
  }
  return false;
}

// A fault names what is wrong: a field or an id that is itself the secret
// cannot be kept from its own name.
bool IsInAName(std::string_view text) {
  if (text.find(kSecret) == std::string_view::npos) return false;
  try {
    return HoldsSecretName(YAML::Load(std::string(text)), 0);
  } catch (const YAML::Exception&) {
    return false;
  }
}

}  // namespace
}  // namespace llm::server

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const llm::fuzz::Input input(data, size);
  const std::string_view text = input.rest();
  // Whatever else lies on this machine is no secret of the test.
  if (text.find("file:") != std::string_view::npos) return 0;
  const llm::server::ConfigResult first = llm::server::Load(text);
  llm::fuzz::Check((first.config != nullptr) == first.faults.empty(),
                   "faults or a configuration");
  const bool a_name = llm::server::IsInAName(text);
  for (const std::string& fault : first.faults) {
    llm::fuzz::Check(
        a_name || fault.find(llm::server::kSecret) == std::string::npos,
        "no secret in a fault");
    llm::fuzz::Check(fault.find('\n') == std::string::npos, "one line each");
  }
  // Loading is slow; now and then is enough.
  if (size % 8 != 0) return 0;
  const llm::server::ConfigResult second = llm::server::Load(text);
  llm::fuzz::Check(second.faults == first.faults, "the same faults again");
  return 0;
}
