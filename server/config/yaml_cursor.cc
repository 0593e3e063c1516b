#include "server/config/yaml_cursor.h"

#include <yaml-cpp/eventhandler.h>

#include <set>
#include <sstream>

#include "adapters/core/json.h"
#include "server/config/setting_text.h"
#include "server/config/text.h"

namespace llm::server {
namespace {

// Far above any real configuration; bounds time and memory of the parser.
constexpr size_t kMaxBytes = size_t{4} << 20;
// yaml-cpp 0.7 recurses per level and gives up at 500 by itself; its token
// queue is quadratic in open flow brackets before that, so ours comes first.
constexpr int kMaxOpenBrackets = 1000;

int LineOf(const YAML::Mark& mark) {
  return mark.is_null() ? 1 : mark.line + 1;
}

// True if `text` opens more flow brackets than any configuration needs.
// Brackets in strings count too: they close again.
bool NestsTooDeep(std::string_view text) {
  int open = 0;
  for (const char c : text) {
    if (c == '[' || c == '{') ++open;
    if ((c == ']' || c == '}') && open > 0) --open;
    if (open > kMaxOpenBrackets) return true;
  }
  return false;
}

// Events that nobody needs.
class IgnoreEvents : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// Not YAML::LoadAll: on a stray closing bracket it makes documents without
// end until memory is gone (yaml-cpp 0.7).
bool HasSecondDocument(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  IgnoreEvents ignore;
  return parser.HandleNextDocument(ignore) && parser.HandleNextDocument(ignore);
}

}  // namespace

void YamlCursor::Fault(std::string_view what) const {
  faults_->Add(line_, path_, what);
}

std::vector<std::pair<std::string, YamlCursor>> YamlCursor::Members() const {
  std::vector<std::pair<std::string, YamlCursor>> members;
  if (is_null()) return members;
  if (!node_.IsMap()) {
    Fault("must be a mapping (key: value)");
    return members;
  }
  std::set<std::string> seen;
  for (const auto& entry : node_) {
    const int line = LineOf(entry.first.Mark());
    if (!entry.first.IsScalar()) {
      faults_->Add(line, path_, "has a key that is not plain text");
      continue;
    }
    const std::string& key = entry.first.Scalar();
    const std::string shown = Shown(key);
    std::string path = path_.empty() ? shown : Cat(path_, ".", shown);
    if (!seen.insert(key).second) {
      faults_->Add(line, path, "is given twice");
      continue;
    }
    members.emplace_back(
        key, YamlCursor(entry.second, std::move(path), line, faults_));
  }
  return members;
}

std::vector<YamlCursor> YamlCursor::Items() const {
  std::vector<YamlCursor> items;
  if (is_null()) return items;
  if (!node_.IsSequence()) {
    Fault("must be a list, such as [a, b]");
    return items;
  }
  for (const YAML::Node& item : node_) {
    items.emplace_back(item, Cat(path_, "[", items.size(), "]"),
                       LineOf(item.Mark()), faults_);
  }
  return items;
}

std::vector<std::string> YamlCursor::Texts() const {
  std::vector<std::string> texts;
  for (const YamlCursor& item : Items()) {
    if (std::optional<std::string> text = item.Text()) {
      texts.push_back(*std::move(text));
    }
  }
  return texts;
}

std::optional<std::string> YamlCursor::Text() const {
  if (is_null()) {
    Fault("has no value");
    return std::nullopt;
  }
  if (!node_.IsScalar()) {
    Fault("must be a single value, not a list or mapping");
    return std::nullopt;
  }
  return node_.Scalar();
}

std::optional<std::string> YamlCursor::Checked(
    absl::Status (*check)(std::string_view text)) const {
  std::optional<std::string> text = Text();
  if (!text.has_value()) return std::nullopt;
  if (const absl::Status status = check(*text); !status.ok()) {
    Fault(Words(status));
    return std::nullopt;
  }
  return text;
}

std::optional<int64_t> YamlCursor::Int(int64_t least, int64_t most) const {
  const std::optional<std::string> text = Text();
  if (!text.has_value()) return std::nullopt;
  const absl::StatusOr<int64_t> value = ParseIntSetting(*text, least, most);
  if (!value.ok()) {
    Fault(Words(value.status()));
    return std::nullopt;
  }
  return *value;
}

std::optional<absl::Duration> YamlCursor::Duration() const {
  return Parsed<absl::Duration>(ParseDurationSetting);
}

void ReadFields(const YamlCursor& cursor,
                const std::vector<FieldReader>& readers) {
  for (const auto& [key, member] : cursor.Members()) {
    bool found = false;
    for (const auto& [name, read] : readers) {
      if (name != key) continue;
      found = true;
      read(member);
    }
    if (found) continue;
    std::vector<std::string> known;
    for (const auto& [name, read] : readers) known.emplace_back(name);
    member.Fault(Cat("unknown key", DidYouMean(key, known)));
  }
}

std::optional<YamlCursor> ParseYaml(const std::string& text,
                                    FaultList* faults) {
  const auto fail = [faults](int line, std::string_view what) {
    faults->Add(line, "yaml", what);
    return std::nullopt;
  };
  if (text.size() > kMaxBytes) return fail(1, "the file is larger than 4 MiB");
  if (!IsValidUtf8(text) || text.find('\0') != std::string::npos) {
    return fail(1, "the file is not UTF-8 text");
  }
  if (NestsTooDeep(text)) return fail(1, "brackets are nested too deep");
  try {
    if (HasSecondDocument(text)) {
      return fail(1,
                  "the file holds more than one YAML document, or text that "
                  "ends the first early");
    }
    YAML::Node root = YAML::Load(text);
    if (!root.IsNull() && !root.IsMap()) {
      return fail(LineOf(root.Mark()),
                  "the file is not a mapping (key: value)");
    }
    return YamlCursor(root, "", LineOf(root.Mark()), faults);
  } catch (const YAML::Exception& error) {
    return fail(LineOf(error.mark), error.msg);
  } catch (const std::exception&) {
    return fail(1, "cannot be parsed");
  }
}

}  // namespace llm::server
