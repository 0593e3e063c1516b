#include "adapters/anthropic/content_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "adapters/anthropic/citation_marks.h"
#include "adapters/core/json_writer.h"
#include "adapters/core/text.h"
#include "adapters/dialect/data_url.h"

namespace llm::anthropic {
namespace {

using sv = std::string_view;
using Media = v1::MediaPart;

constexpr sv kTextExtra[] = {"citations"};
constexpr sv kDocumentExtra[] = {"title", "context", "citations"};
constexpr sv kImageTypes[] = {"image/jpeg", "image/png", "image/gif",
                              "image/webp"};
constexpr sv kNative[] = {
    "document",         "search_result", "thinking",      "redacted_thinking",
    "server_tool_use",  "mcp_tool_use",  "tool_addition", "tool_removal",
    "container_upload", "compaction",    "fallback",      "tool_reference"};

void WriteBase64(sv type, sv data, JsonWriter* out) {
  out->Member("type", "base64");
  out->Member("media_type", type);
  out->Member("data", data);
}

// All of an object but one member.
void CopyMembers(JsonValue object, sv but, std::string* out) {
  JsonWriter json(out);
  json.BeginObject();
  for (JsonValue v = object.First(); v; v = v.Next()) {
    if (!v.KeyEquals(but)) json.MemberRaw(v.Key(), v.raw());
  }
  json.EndObject();
}

// The cache marks of the blocks in a block that is not ours to write.
int MarksInside(JsonValue block) {
  int count = 0;
  for (const JsonValue inside :
       {block.Find("content"), block.Find("source").Find("content")}) {
    if (!inside.is_array()) continue;
    for (JsonValue v = inside.First(); v; v = v.Next()) {
      if (v.Find("cache_control").has_value()) ++count;
    }
  }
  return count;
}

}  // namespace

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\f\v") == sv::npos;
}

bool IsNativeBlock(JsonValue block) {
  const std::string type = block.Find("type").StringOr();
  if (type == "image") return block.Find("source").is_object();
  if (type == "thinking") return block.Find("signature").is_string();
  return std::find(std::begin(kNative), std::end(kNative), type) !=
             std::end(kNative) ||
         (type.ends_with("_tool_result") && type != "tool_result");
}

void CopyNative(JsonValue value, std::string_view json, Block* block) {
  block->marks_inside = MarksInside(value);
  const JsonValue mark = value.Find("cache_control");
  if (!mark.has_value() || block->kind == Block::Kind::kThinking) {
    block->json = std::string(json);
    return;
  }
  block->cache_control = std::string(mark.raw());
  CopyMembers(value, "cache_control", &block->json);
}

void ContentWriter::AddExtra(sv extra, std::span<const sv> allowed, sv name,
                             JsonWriter* out, std::string* cache) {
  if (extra.empty()) return;
  const ExtraObject object(extra);
  for (JsonValue v = object.root().First(); v; v = v.Next()) {
    if (v.is_null()) continue;
    const std::string key = v.Key();
    if (key == "cache_control") {
      *cache = std::string(v.raw());
    } else if (std::find(allowed.begin(), allowed.end(), key) !=
               allowed.end()) {
      out->MemberRaw(key, v.raw());
    } else {
      notes_.dropped.Add(absl::StrCat(ToAbsl(name), ".", key));
    }
  }
}

void ContentWriter::Add(const v1::Part& part, std::vector<Block>* out) {
  switch (part.kind_case()) {
    case v1::Part::kText:
    case v1::Part::kRefusal:
      return AddText(part, out);
    case v1::Part::kMedia:
      return AddMedia(part, out);
    case v1::Part::kOpaque:
      return AddOpaque(part.opaque(), out);
    default:
      return;
  }
}

void ContentWriter::AddText(const v1::Part& part, std::vector<Block>* out) {
  const std::string& text =
      part.has_text() ? part.text().text() : part.refusal().text();
  if (IsBlank(text)) return;
  Block block;
  JsonWriter json(&block.json);
  json.BeginObject();
  json.Member("type", "text");
  json.Member("text", text);
  json.EndObject();
  if (!part.extra_json().empty()) {
    const ExtraObject extra(part.extra_json());
    const JsonValue citations = extra.root().Find("citations");
    if (citations.has_value()) block.citations.emplace_back(citations.raw());
    std::string beside;
    JsonWriter nowhere(&beside);
    AddExtra(part.extra_json(), kTextExtra, "messages.content", &nowhere,
             &block.cache_control);
  }
  out->push_back(std::move(block));
}

void ContentWriter::AddSaid(const v1::Part& part, std::string* blank,
                            std::vector<Block>* out) {
  if (IsBlank(part.text().text())) {
    *blank += part.text().text();
    return;
  }
  if (blank->empty()) return Add(part, out);
  v1::Part joined = part;
  joined.mutable_text()->set_text(std::exchange(*blank, {}) +
                                  part.text().text());
  Add(joined, out);
}

// Where they find no text they are lost; an empty list says nothing.
void ContentWriter::Cite(JsonValue citations, std::vector<Block>* out) {
  if (!citations.First()) return;
  const bool text = !out->empty() && out->back().kind == Block::Kind::kText;
  if (!text) return notes_.NameProof("messages.content");
  out->back().citations.emplace_back(citations.raw());
}

void ContentWriter::AddOpaque(const v1::OpaquePart& part,
                              std::vector<Block>* out) {
  const auto doc = JsonDocument::Parse(part.json());
  const JsonValue value = doc.ok() ? doc->root() : JsonValue();
  const bool ours = part.origin() == "anthropic" && value.is_object();
  if (ours && IsCitationMark(value)) {
    return Cite(value.Find("citations"), out);
  }
  if (!value.Find("type").is_string() || (!ours && !IsNativeBlock(value))) {
    return notes_.dropped.Add("messages.content");
  }
  Block block;
  const std::string type = value.Find("type").StringOr();
  block.kind = type == "thinking" || type == "redacted_thinking"
                   ? Block::Kind::kThinking
                   : Block::Kind::kOther;
  CopyNative(value, part.json(), &block);
  const bool by_id = value.Find("file_id").is_string() ||
                     value.Find("source").Find("file_id").is_string();
  notes_.file_ids = notes_.file_ids || by_id;
  out->push_back(std::move(block));
}

// What came along, from bytes or a data: URL; none for links. What holds
// nothing is refused.
std::optional<DataUrl> ContentWriter::Inline(const Media& media) {
  DataUrl out{media.mime_type(), {}};
  if (media.has_data()) {
    out.base64 = absl::Base64Escape(media.data());
  } else if (IsDataUrl(media.url())) {
    auto read = ReadDataUrl(media.url());
    if (!read.ok()) {
      notes_.Refuse("messages.content", ToStd(read.status().message()));
      return out;
    }
    out = *std::move(read);
  } else {
    return std::nullopt;
  }
  if (out.base64.empty()) {
    notes_.Refuse("messages.content", "a picture or file holds no content");
  }
  return out;
}

void ContentWriter::WriteImageSource(const Media& media, JsonWriter* out) {
  if (media.has_file_id()) {
    out->Member("type", "file");
    out->Member("file_id", media.file_id());
    notes_.file_ids = true;
    return;
  }
  std::optional<DataUrl> data = Inline(media);
  if (!data) {
    out->Member("type", "url");
    return out->Member("url", media.url());
  }
  if (data->type.empty()) data->type = "image/png";
  if (data->type == "image/jpg") data->type = "image/jpeg";
  if (!Among(kImageTypes, data->type)) {
    notes_.Refuse("messages.content",
                  "Claude reads pictures as JPEG, PNG, GIF or WebP only");
  }
  WriteBase64(data->type, data->base64, out);
}

void ContentWriter::WriteDocumentSource(const Media& media, JsonWriter* out) {
  if (media.has_file_id()) {
    out->Member("type", "file");
    out->Member("file_id", media.file_id());
    notes_.file_ids = true;
    return;
  }
  std::optional<DataUrl> data = Inline(media);
  if (!data) {
    out->Member("type", "url");
    return out->Member("url", media.url());
  }
  if (data->type.empty()) data->type = "application/pdf";
  std::string text;
  if (data->type.starts_with("text/") &&
      absl::Base64Unescape(data->base64, &text)) {
    if (!IsValidUtf8(text)) {
      notes_.Refuse("messages.content", "text files must be UTF-8");
      text.clear();
    }
    out->Member("type", "text");
    out->Member("media_type", "text/plain");
    return out->Member("data", text);
  }
  if (data->type != "application/pdf") {
    notes_.Refuse("messages.content",
                  "Claude reads files as PDF or plain text only");
  }
  WriteBase64(data->type, data->base64, out);
}

void ContentWriter::AddMedia(const v1::Part& part, std::vector<Block>* out) {
  const Media& media = part.media();
  const bool image = media.kind() == Media::IMAGE;
  if (!image && media.kind() != Media::FILE) {
    return notes_.Refuse("messages.content",
                         "Claude takes neither audio nor video");
  }
  Block block;
  block.kind = Block::Kind::kOther;
  JsonWriter json(&block.json);
  json.BeginObject();
  json.Member("type", image ? "image" : "document");
  json.Key("source");
  json.BeginObject();
  if (image) {
    WriteImageSource(media, &json);
  } else {
    WriteDocumentSource(media, &json);
  }
  json.EndObject();
  if (!image && !media.filename().empty()) {
    json.Member("title", media.filename());
  }
  if (!media.detail().empty() && media.detail() != "auto") {
    notes_.dropped.Add("messages.content.detail");
  }
  const std::span<const sv> allowed =
      image ? std::span<const sv>() : std::span<const sv>(kDocumentExtra);
  AddExtra(part.extra_json(), allowed, "messages.content", &json,
           &block.cache_control);
  json.EndObject();
  out->push_back(std::move(block));
}

}  // namespace llm::anthropic
