// The recorded exchanges beside the project, or where LLM_SHARED says.
#ifndef LLM_TESTS_ADAPTERS_GEMINI_RECORDINGS_H_
#define LLM_TESTS_ADAPTERS_GEMINI_RECORDINGS_H_

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace llm {

inline std::vector<std::filesystem::path> GeminiRecordings() {
  namespace fs = std::filesystem;
  const char* shared = std::getenv("LLM_SHARED");
  const fs::path root = shared != nullptr
                            ? fs::path(shared)
                            : fs::path(LLM_SOURCE_DIR) / "../shared";
  std::vector<fs::path> files;
  for (const char* api :
       {"gemini.generateContent", "gemini.streamGenerateContent"}) {
    std::error_code error;
    for (const auto& entry :
         fs::directory_iterator(root / "recordings" / api, error)) {
      if (entry.path().extension() == ".json") files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

inline std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

}  // namespace llm

#endif  // LLM_TESTS_ADAPTERS_GEMINI_RECORDINGS_H_
