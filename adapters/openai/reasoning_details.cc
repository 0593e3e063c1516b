#include "adapters/openai/reasoning_details.h"

namespace llm::openai {
namespace {

// A fragment may well repeat white space; words that go on from the whole
// text before them are no accident.
bool HoldsWords(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") != std::string_view::npos;
}

void WriteWith(JsonValue entry, std::string_view text, JsonWriter& out) {
  out.BeginObject();
  for (JsonValue v = entry.First(); v; v = v.Next()) {
    if (v.KeyEquals("text")) {
      out.Member("text", text);
    } else {
      out.MemberRaw(v.Key(), v.raw());
    }
  }
  out.EndObject();
}

}  // namespace

std::string_view ReasoningDetails::NewText(std::string_view text,
                                           Entry* entry) {
  std::string& seen = entry->seen;
  const bool goes_on = text.size() > seen.size() && text.starts_with(seen);
  if (entry->form == Form::kUnknown && HoldsWords(seen)) {
    entry->form = goes_on ? Form::kCumulative : Form::kFragments;
  }
  if (entry->form == Form::kFragments) return text;
  if (entry->form == Form::kCumulative) {
    if (text == seen) return {};
    if (goes_on) text.remove_prefix(seen.size());
  }
  seen += text;
  return text;
}

ReasoningDetails::Step ReasoningDetails::Push(JsonValue details) {
  Step step;
  if (!details.is_array() || details.size() == 0) return step;
  JsonWriter out(&step.list);
  out.BeginArray();
  int64_t position = 0;
  for (JsonValue v = details.First(); v; v = v.Next(), ++position) {
    step.text += v.Find("summary").StringOr();
    const std::string text = v.Find("text").StringOr();
    if (text.empty()) {
      out.Raw(v.raw());
      continue;
    }
    Entry& entry = entries_[v.Find("index").AsInt64().value_or(position)];
    const std::string_view added = NewText(text, &entry);
    step.text += added;
    if (added.size() == text.size()) {
      out.Raw(v.raw());
    } else {
      WriteWith(v, added, out);
    }
  }
  out.EndArray();
  return step;
}

}  // namespace llm::openai
