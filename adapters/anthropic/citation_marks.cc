#include "adapters/anthropic/citation_marks.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/anthropic/block.h"
#include "adapters/anthropic/content_writer.h"
#include "adapters/core/text.h"
#include "adapters/dialect/text_fragments.h"

namespace llm::anthropic {
namespace {

using sv = std::string_view;

// Cuts the first `count` characters off.
std::string TakeCodePoints(int64_t count, sv* text) {
  size_t size = 0;
  while (size < text->size()) {
    const bool begins =
        (static_cast<unsigned char>((*text)[size]) & 0xC0) != 0x80;
    if (begins && count-- == 0) break;
    ++size;
  }
  const sv taken = text->substr(0, size);
  text->remove_prefix(size);
  return std::string(taken);
}

v1::Part Piece(std::string text, sv citations, sv more) {
  v1::Part part;
  part.mutable_text()->set_text(std::move(text));
  if (citations.empty()) {
    part.set_extra_json(std::string(more));
    return part;
  }
  JsonWriter json(part.mutable_extra_json());
  json.BeginObject();
  json.MemberRaw("citations", citations);
  if (!more.empty()) json.RawMembers(more);
  json.EndObject();
  return part;
}

}  // namespace

bool IsCitationMark(JsonValue value) {
  return value.is_object() && !value.Find("type") &&
         value.Find("citations").is_array();
}

std::string CitationMark(std::string_view list, int64_t start, int64_t end) {
  return absl::StrCat(R"({"citations":[)", ToAbsl(list), R"(],"start_index":)",
                      start, R"(,"end_index":)", end, "}");
}

bool HoldsAnnotations(const v1::Message& message) {
  const auto list = JsonDocument::Parse(message.annotations());
  if (!list.ok() || !list->root().First()) return true;
  std::set<std::string> cited;
  for (const v1::Part& part : message.parts()) {
    if (!part.has_opaque() || part.opaque().origin() != kOrigin) continue;
    const auto doc = JsonDocument::Parse(part.opaque().json());
    if (!doc.ok() || !IsCitationMark(doc->root())) continue;
    for (JsonValue v = doc->root().Find("citations").First(); v; v = v.Next()) {
      if (v.Find("url").is_string()) cited.insert(v.Find("url").StringOr());
    }
  }
  for (JsonValue v = list->root().First(); v; v = v.Next()) {
    const JsonValue url = v.Find("url_citation").Find("url");
    if (!url.is_string() || !cited.contains(url.StringOr())) return false;
  }
  return true;
}

bool CitationMarks::Add(std::string_view json) {
  const auto doc = JsonDocument::Parse(json);
  if (!doc.ok() || !IsCitationMark(doc->root())) return false;
  const auto start = doc->root().Find("start_index").AsInt64();
  const auto end = doc->root().Find("end_index").AsInt64();
  const int64_t last = marks_.empty() ? 0 : marks_.back().end;
  if (!start || !end || *start < last || *end <= *start) return false;
  marks_.push_back(
      {*start, *end, std::string(doc->root().Find("citations").raw())});
  return true;
}

std::vector<v1::Part> CitationMarks::Split(const v1::Part& part) {
  const ExtraObject extra(part.extra_json());
  sv rest = part.text().text();
  const int64_t end = at_ + CountCodePoints(rest);
  std::vector<v1::Part> out;
  // The caller has cited by itself what already has citations.
  const bool own = extra.root().Find("citations").has_value();
  while (!own && !marks_.empty() && marks_.front().start >= at_ &&
         marks_.front().end <= end) {
    const Mark mark = std::move(marks_.front());
    marks_.pop_front();
    std::string before = TakeCodePoints(mark.start - at_, &rest);
    if (!IsBlank(before)) {
      out.push_back(Piece(std::exchange(before, {}), {}, {}));
    }
    std::string cited = before + TakeCodePoints(mark.end - mark.start, &rest);
    at_ = mark.end;
    const bool more = !marks_.empty() && marks_.front().end <= end;
    const bool last = !more && IsBlank(rest);
    if (last) cited += std::exchange(rest, {});
    out.push_back(Piece(std::move(cited), mark.citations,
                        last ? sv(part.extra_json()) : sv()));
  }
  at_ = end;
  if (!rest.empty() || out.empty()) {
    out.push_back(Piece(std::string(rest), {}, part.extra_json()));
  }
  return out;
}

}  // namespace llm::anthropic
