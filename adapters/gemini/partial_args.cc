#include "adapters/gemini/partial_args.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "adapters/core/text.h"

namespace llm::gemini {
namespace {

// More than a model can say: each takes a token, and 65,536 is the most that
// one gives (gemini.md, 2026-11-20).
constexpr size_t kMaxArgNodes = 100'000;
// A list may name a place before those in front of it, but not make a large
// one out of a few bytes.
constexpr size_t kMaxArgGap = 1'000;
constexpr size_t kMaxArgDepth = 64;

// ['name'] or ["name"], with backslashes; false where it does not end.
bool ReadQuoted(std::string_view* path, std::string* name) {
  const char quote = path->front();
  path->remove_prefix(1);
  while (!path->empty() && path->front() != quote) {
    if (path->front() == '\\' && path->size() > 1) path->remove_prefix(1);
    *name += path->front();
    path->remove_prefix(1);
  }
  if (path->size() < 2 || (*path)[1] != ']') return false;
  path->remove_prefix(2);
  return true;
}

}  // namespace

bool PartialArgs::ReadPath(std::string_view path, std::vector<Step>* steps) {
  if (!path.starts_with('$')) return false;
  path.remove_prefix(1);
  while (!path.empty()) {
    Step step;
    if (steps->size() >= kMaxArgDepth) return false;
    if (path.front() == '.') {
      path.remove_prefix(1);
      const size_t end = path.find_first_of(".[");
      step.name = std::string(path.substr(0, end));
      if (step.name.empty()) return false;
      path.remove_prefix(std::min(end, path.size()));
    } else if (path.front() == '[') {
      path.remove_prefix(1);
      if (path.empty()) return false;
      if (path.front() == '\'' || path.front() == '"') {
        if (!ReadQuoted(&path, &step.name)) return false;
      } else {
        const size_t end = path.find(']');
        if (end == std::string_view::npos) return false;
        step.is_index = true;
        if (!absl::SimpleAtoi(ToAbsl(path.substr(0, end)), &step.index)) {
          return false;
        }
        path.remove_prefix(end + 1);
      }
    } else {
      return false;
    }
    steps->push_back(std::move(step));
  }
  return !steps->empty();
}

// The node at the end of the way, made where it is not there; null where the
// way is blocked by a value of another kind.
PartialArgs::Node* PartialArgs::Reach(const std::vector<Step>& steps) {
  Node* at = &root_;
  for (const Step& step : steps) {
    const Node::Kind kind =
        step.is_index ? Node::Kind::kArray : Node::Kind::kObject;
    if (at->kind == Node::Kind::kNone) at->kind = kind;
    if (at->kind != kind) return nullptr;
    std::unique_ptr<Node>* next = nullptr;
    if (step.is_index) {
      if (step.index > at->members.size() + kMaxArgGap) return nullptr;
      while (at->members.size() <= step.index) {
        if (++nodes_ > kMaxArgNodes) return nullptr;
        at->members.emplace_back("", std::make_unique<Node>());
      }
      next = &at->members[step.index].second;
    } else {
      auto place = at->places.find(step.name);
      if (place == at->places.end()) {
        if (++nodes_ > kMaxArgNodes) return nullptr;
        place = at->places.emplace(step.name, at->members.size()).first;
        at->members.emplace_back(step.name, std::make_unique<Node>());
      }
      next = &at->members[place->second].second;
    }
    at = next->get();
  }
  return at;
}

void PartialArgs::PushOne(JsonValue piece) {
  std::vector<Step> steps;
  const std::string path = piece.Find("jsonPath").StringOr();
  if (path.empty()) return;
  Node* const node = ReadPath(path, &steps) ? Reach(steps) : nullptr;
  if (node == nullptr || node->kind == Node::Kind::kObject ||
      node->kind == Node::Kind::kArray) {
    broken_ = true;
    return;
  }
  const JsonValue text = piece.Find("stringValue");
  if (text.is_string()) {
    // A string that has ended and comes again is a new value.
    if (node->kind != Node::Kind::kText || !node->open) node->text.clear();
    node->kind = Node::Kind::kText;
    node->text += text.StringOr();
    node->open = piece.Find("willContinue").AsBool().value_or(false);
    return;
  }
  std::string raw = "null";
  for (const char* name : {"numberValue", "boolValue"}) {
    const JsonValue value = piece.Find(name);
    if (value.is_number() || value.is_bool()) raw = std::string(value.raw());
  }
  node->kind = Node::Kind::kRaw;
  node->text = std::move(raw);
}

void PartialArgs::Push(JsonValue list) {
  if (!list.is_array()) return;
  for (JsonValue v = list.First(); v; v = v.Next()) PushOne(v);
}

void PartialArgs::Write(const Node& node, JsonWriter& out) {
  switch (node.kind) {
    case Node::Kind::kText:
      return out.String(node.text);
    case Node::Kind::kRaw:
      return out.Raw(node.text);
    case Node::Kind::kNone:
      return out.Null();
    case Node::Kind::kArray:
      out.BeginArray();
      for (const auto& [name, member] : node.members) Write(*member, out);
      return out.EndArray();
    case Node::Kind::kObject:
      out.BeginObject();
      for (const auto& [name, member] : node.members) {
        out.Key(name);
        Write(*member, out);
      }
      return out.EndObject();
  }
}

std::string PartialArgs::Json() const {
  std::string out;
  JsonWriter writer(&out);
  Write(root_, writer);
  return out;
}

}  // namespace llm::gemini
