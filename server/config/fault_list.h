// The faults of one configuration, each with its place.
//
// Threads: One owner.
#ifndef LLM_SERVER_CONFIG_FAULT_LIST_H_
#define LLM_SERVER_CONFIG_FAULT_LIST_H_

#include <string>
#include <string_view>
#include <vector>

namespace llm::server {

class FaultList {
 public:
  // `file`: as the operator wrote it; empty: there is none.
  explicit FaultList(std::string file) : file_(std::move(file)) {}

  // `line` is 1-based; 0: the fault is not in the file. `path`: key.path.
  void Add(int line, std::string_view path, std::string_view what);
  bool empty() const { return faults_.empty(); }
  // `FILE:LINE: key.path: what is wrong`, by line; those of the environment
  // (`environment: key.path: …`) last.
  std::vector<std::string> Lines() const;

 private:
  struct Fault {
    int line;
    std::string text;
  };
  std::string file_;
  std::vector<Fault> faults_;
};

// The known name closest to `name`, or empty when none is near enough to be
// what was meant.
std::string ClosestName(std::string_view name,
                        const std::vector<std::string>& known);

// " (did you mean X?)", or nothing.
std::string DidYouMean(std::string_view name,
                       const std::vector<std::string>& known);

// `name` fit to be shown: control characters replaced, at most 80 bytes.
std::string Shown(std::string_view name);

}  // namespace llm::server

#endif  // LLM_SERVER_CONFIG_FAULT_LIST_H_
