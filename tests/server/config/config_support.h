// Loads configurations from text, with an environment of the test's own.
#ifndef LLM_TESTS_SERVER_CONFIG_CONFIG_SUPPORT_H_
#define LLM_TESTS_SERVER_CONFIG_CONFIG_SUPPORT_H_

#include <map>
#include <string>
#include <vector>

#include "server/config/load_config.h"

namespace llm::server {

using Environment = std::map<std::string, std::string>;

// A file in the temporary directory that goes away with the object.
class TempFile {
 public:
  explicit TempFile(const std::string& content);
  ~TempFile();
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// What the registry would say.
const std::vector<BuiltInProvider>& TestProviders();

ConfigResult LoadWithoutFile(const Environment& env);
ConfigResult LoadFile(const std::string& path, const Environment& env);
// The faults name the file "FILE".
ConfigResult LoadText(const std::string& yaml, const Environment& env = {});

// The configuration, or a failed test that shows the faults.
std::shared_ptr<const Config> MustLoad(const std::string& yaml,
                                       const Environment& env = {});

}  // namespace llm::server

#endif  // LLM_TESTS_SERVER_CONFIG_CONFIG_SUPPORT_H_
