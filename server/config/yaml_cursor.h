// A place in the YAML tree that knows its path and line and reports faults.
//
// Ownership: Borrows the FaultList; holds the nodes alive itself.
// Errors:    Go to the FaultList; readers return nullopt and carry on, so all
//            faults of a file are found in one pass.
#ifndef LLM_SERVER_CONFIG_YAML_CURSOR_H_
#define LLM_SERVER_CONFIG_YAML_CURSOR_H_

#include <yaml-cpp/yaml.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/config/fault_list.h"
#include "server/config/text.h"

namespace llm::server {

class YamlCursor {
 public:
  YamlCursor(YAML::Node node, std::string path, int line, FaultList* faults)
      : node_(std::move(node)),
        path_(std::move(path)),
        line_(line),
        faults_(faults) {}

  const std::string& path() const { return path_; }
  int line() const { return line_; }
  bool is_null() const { return !node_.IsDefined() || node_.IsNull(); }
  bool is_map() const { return node_.IsMap(); }
  bool is_list() const { return node_.IsSequence(); }
  void Fault(std::string_view what) const;

  // Members of a mapping in file order; null is an empty one. Duplicates and
  // keys that are not text are faults and left out.
  std::vector<std::pair<std::string, YamlCursor>> Members() const;
  // Elements of a list; null is an empty one.
  std::vector<YamlCursor> Items() const;
  std::vector<std::string> Texts() const;

  // A scalar's text. Null is a fault.
  std::optional<std::string> Text() const;
  // Text(), and what `parse` makes of it.
  template <typename T>
  std::optional<T> Parsed(
      absl::StatusOr<T> (*parse)(std::string_view text)) const {
    const std::optional<std::string> text = Text();
    if (!text.has_value()) return std::nullopt;
    absl::StatusOr<T> value = parse(*text);
    if (!value.ok()) {
      Fault(Words(value.status()));
      return std::nullopt;
    }
    return *std::move(value);
  }
  std::optional<std::string> Checked(
      absl::Status (*check)(std::string_view text)) const;
  std::optional<int64_t> Int(int64_t least, int64_t most) const;
  std::optional<absl::Duration> Duration() const;

 private:
  YAML::Node node_;
  std::string path_;
  int line_;
  FaultList* faults_;
};

using FieldReader =
    std::pair<std::string_view, std::function<void(const YamlCursor&)>>;
// Hands every member to the reader of its name; others are faults with the
// closest known name.
void ReadFields(const YamlCursor& cursor,
                const std::vector<FieldReader>& readers);

// The whole document. Nullopt with a fault for what is not one YAML mapping:
// too large, binary, malformed, nested too deep.
std::optional<YamlCursor> ParseYaml(const std::string& text, FaultList* faults);

}  // namespace llm::server

#endif  // LLM_SERVER_CONFIG_YAML_CURSOR_H_
