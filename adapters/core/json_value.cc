// Views over parsed nodes.
#include <algorithm>

#include "adapters/core/json.h"

namespace llm {
namespace {

std::string_view WithoutQuotes(std::string_view quoted) {
  return quoted.substr(1, quoted.size() - 2);
}

bool DecodedEquals(std::string_view quoted, bool escaped,
                   std::string_view text) {
  const std::string_view inner = WithoutQuotes(quoted);
  if (!escaped) return inner == text;
  // An escape never decodes to more bytes than it takes.
  return inner.size() > text.size() && JsonUnescape(inner) == text;
}

}  // namespace

JsonValue JsonDocument::root() const {
  if (nodes_.empty()) return {};
  return {this, 0, static_cast<uint32_t>(nodes_.size())};
}

JsonType JsonValue::type() const {
  return doc_ == nullptr ? JsonType::kNone : doc_->nodes_[node_].type;
}

std::string_view JsonValue::raw() const {
  if (doc_ == nullptr) return {};
  const auto& node = doc_->nodes_[node_];
  return doc_->text_.substr(node.begin, node.end - node.begin);
}

size_t JsonValue::offset() const {
  return doc_ == nullptr ? 0 : doc_->nodes_[node_].begin;
}

std::optional<bool> JsonValue::AsBool() const {
  if (!is_bool()) return std::nullopt;
  return raw().front() == 't';
}

std::optional<std::string> JsonValue::AsString() const {
  if (!is_string()) return std::nullopt;
  const std::string_view inner = WithoutQuotes(raw());
  if (!doc_->nodes_[node_].escaped) return std::string(inner);
  return JsonUnescape(inner);
}

std::string JsonValue::StringOr(std::string_view fallback) const {
  std::optional<std::string> text = AsString();
  return text ? *std::move(text) : std::string(fallback);
}

bool JsonValue::Equals(std::string_view text) const {
  return is_string() && DecodedEquals(raw(), doc_->nodes_[node_].escaped, text);
}

JsonValue JsonValue::Find(std::string_view key) const {
  if (!is_object()) return {};
  // The most frequent call of all: over the nodes themselves, and nearly every
  // other name is ruled out by its length or its first letter.
  const JsonDocument::Node* const nodes = doc_->nodes_.data();
  if ((nodes[node_].names & JsonDocument::NameBit(key)) == 0) return {};
  const char* const text = doc_->text_.data();
  const size_t quoted = key.size() + 2;
  const char first = key.empty() ? '"' : key.front();
  const uint32_t end = nodes[node_].next;
  uint32_t found = node_;
  for (uint32_t at = node_ + 1; at < end; at = nodes[at].next) {
    const JsonDocument::Node& node = nodes[at];
    const std::string_view raw(text + node.key_begin,
                               node.key_end - node.key_begin);
    bool same = false;
    if (node.key_escaped) {
      same = DecodedEquals(raw, true, key);
    } else if (raw.size() == quoted && raw[1] == first) {
      same = WithoutQuotes(raw) == key;
    }
    if (same) found = at;
  }
  if (found == node_) return {};
  return {doc_, found, end};
}

size_t JsonValue::size() const {
  return doc_ == nullptr ? 0 : doc_->nodes_[node_].count;
}

JsonValue JsonValue::First() const {
  if (size() == 0) return {};
  return {doc_, node_ + 1, doc_->nodes_[node_].next};
}

JsonValue JsonValue::Next() const {
  if (doc_ == nullptr) return {};
  const uint32_t next = doc_->nodes_[node_].next;
  if (next >= parent_end_) return {};
  return {doc_, next, parent_end_};
}

std::string_view JsonValue::RawKey() const {
  if (doc_ == nullptr) return {};
  const auto& node = doc_->nodes_[node_];
  return doc_->text_.substr(node.key_begin, node.key_end - node.key_begin);
}

std::string JsonValue::Key() const {
  const std::string_view key = RawKey();
  if (key.empty()) return {};
  if (!doc_->nodes_[node_].key_escaped) return std::string(WithoutQuotes(key));
  return JsonUnescape(WithoutQuotes(key));
}

std::string_view JsonValue::Key(std::string* decoded) const {
  const std::string_view key = RawKey();
  if (key.empty()) return {};
  if (!doc_->nodes_[node_].key_escaped) return WithoutQuotes(key);
  *decoded = JsonUnescape(WithoutQuotes(key));
  return *decoded;
}

bool JsonValue::KeyEquals(std::string_view key) const {
  const std::string_view raw_key = RawKey();
  return !raw_key.empty() &&
         DecodedEquals(raw_key, doc_->nodes_[node_].key_escaped, key);
}

}  // namespace llm
