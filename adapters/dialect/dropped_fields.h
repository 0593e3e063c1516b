// Request fields that do not reach the provider, each named once [TRN-6].
//
// Threads: Not safe; one object per rendered request.
#ifndef LLM_ADAPTERS_DIALECT_DROPPED_FIELDS_H_
#define LLM_ADAPTERS_DIALECT_DROPPED_FIELDS_H_

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace llm {

class DroppedFields {
 public:
  void Add(std::string_view name) {
    name = name.substr(0, kMaxName);
    if (names_.size() > kMaxNames) return;
    if (names_.size() == kMaxNames) name = "(more)";
    if (std::find(names_.begin(), names_.end(), name) == names_.end()) {
      names_.emplace_back(name);
    }
  }
  std::vector<std::string> Take() { return std::exchange(names_, {}); }

 private:
  // Names are the caller's, as long and as many as it likes; they go into
  // headers and rows.
  static constexpr size_t kMaxNames = 64;
  static constexpr size_t kMaxName = 64;

  std::vector<std::string> names_;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_DIALECT_DROPPED_FIELDS_H_
