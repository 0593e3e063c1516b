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
    if (quiet_) return;
    if (std::find(names_.begin(), names_.end(), name) == names_.end()) {
      names_.emplace_back(name);
    }
  }
  // While quiet nothing is named: what the router put back into a message is
  // not its caller's, who must not hear of it, nor be refused for it.
  void SetQuiet(bool quiet) { quiet_ = quiet; }
  std::vector<std::string> Take() { return std::exchange(names_, {}); }

 private:
  std::vector<std::string> names_;
  bool quiet_ = false;
};

}  // namespace llm

#endif  // LLM_ADAPTERS_DIALECT_DROPPED_FIELDS_H_
