#include "adapters/openai/content_writer.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace llm::openai {
namespace {

bool IsPlainText(const v1::Part& part) {
  return part.has_text() && part.extra_json().empty();
}

std::string Base64(const std::string& bytes) {
  return absl::Base64Escape(bytes);
}

std::string DataUrl(const v1::MediaPart& media, std::string_view fallback) {
  std::string type = media.mime_type();
  if (type.empty()) type = std::string(fallback);
  return absl::StrCat("data:", type, ";base64,", Base64(media.data()));
}

}  // namespace

bool IsContent(const v1::Part& part) {
  return part.has_text() || part.has_media();
}

bool IsContentPart(std::string_view json) {
  auto doc = JsonDocument::Parse(json);
  return doc.ok() && doc->root().Find("type").is_string();
}

void AppendListMember(std::string_view json, std::string_view name,
                      std::string* list) {
  auto doc = JsonDocument::Parse(json);
  if (!doc.ok()) return;
  const JsonValue items = doc->root().Find(name);
  if (!items.is_array()) return;
  for (JsonValue v = items.First(); v; v = v.Next()) {
    if (!list->empty()) *list += ',';
    *list += v.raw();
  }
}

void JoinSaid(std::vector<const v1::Part*>* parts,
              std::deque<v1::Part>* joined) {
  const auto plain = [](const v1::Part& part) {
    return part.has_text() && part.extra_json().empty();
  };
  std::vector<const v1::Part*> out;
  for (const v1::Part* part : *parts) {
    if (out.empty() || !plain(*part) || !plain(*out.back())) {
      out.push_back(part);
      continue;
    }
    if (joined->empty() || out.back() != &joined->back()) {
      out.back() = &joined->emplace_back(*out.back());
    }
    joined->back().mutable_text()->mutable_text()->append(part->text().text());
  }
  *parts = std::move(out);
}

void ContentWriter::Write(const std::vector<const v1::Part*>& parts,
                          std::string_view prefix, bool may_be_null) {
  bool all_text = true;
  for (const v1::Part* part : parts) {
    all_text = all_text &&
               (profile_.flatten_text ? part->has_text() : IsPlainText(*part));
  }
  if (parts.empty() && prefix.empty() && may_be_null) return out_.Null();
  const bool one_string =
      all_text && (parts.size() <= 1 || profile_.flatten_text);
  if (one_string) {
    std::string text(prefix);
    for (const v1::Part* part : parts) {
      if (part != parts.front()) text += '\n';
      text += part->text().text();
      if (!part->extra_json().empty()) dropped_.Add("messages.content");
    }
    return out_.String(text);
  }
  out_.BeginArray();
  if (!prefix.empty() && !parts.front()->has_text()) {
    v1::Part first;
    first.mutable_text();
    WritePart(first, prefix);
    prefix = {};
  }
  for (const v1::Part* part : parts) {
    WritePart(*part, prefix);
    prefix = {};
  }
  out_.EndArray();
}

void ContentWriter::WritePart(const v1::Part& part, std::string_view prefix) {
  if (part.has_opaque()) return out_.Raw(part.opaque().json());
  if (part.has_media()) return WriteMedia(part);
  out_.BeginObject();
  out_.Member("type", "text");
  out_.Member("text", absl::StrCat(std::string(prefix), part.text().text()));
  if (!part.extra_json().empty()) out_.RawMembers(part.extra_json());
  out_.EndObject();
}

void ContentWriter::WriteMedia(const v1::Part& part) {
  const v1::MediaPart& media = part.media();
  // OpenAI takes files by id or content only (openai.md section 3).
  const bool file = media.kind() == v1::MediaPart::FILE;
  if (file && profile_.document_urls && !media.has_file_id()) {
    return WriteDocument(media);
  }
  const bool linked_file = media.kind() == v1::MediaPart::FILE &&
                           !media.url().empty() &&
                           !media.url().starts_with("data:");
  if (linked_file) return dropped_.Add("messages.content.file");
  out_.BeginObject();
  if (media.has_file_id() || media.kind() == v1::MediaPart::FILE) {
    WriteFile(media);
  } else if (media.kind() == v1::MediaPart::AUDIO) {
    WriteAudio(media);
  } else if (media.kind() == v1::MediaPart::VIDEO) {
    WriteUrlMedia("video_url", media);
  } else {
    WriteUrlMedia("image_url", media);
  }
  if (!part.extra_json().empty()) out_.RawMembers(part.extra_json());
  out_.EndObject();
}

void ContentWriter::WriteUrlMedia(std::string_view type,
                                  const v1::MediaPart& media) {
  const bool image = type == "image_url";
  out_.Member("type", type);
  out_.Key(type);
  out_.BeginObject();
  out_.Member("url", media.has_data()
                         ? DataUrl(media, image ? "image/png" : "video/mp4")
                         : media.url());
  if (!media.detail().empty()) out_.Member("detail", media.detail());
  out_.EndObject();
}

void ContentWriter::WriteAudio(const v1::MediaPart& media) {
  // The format name alone, and base64 without the data: prefix. Behind the last
  // slash: what is written stays as it is where it is read again.
  std::string format = media.mime_type();
  if (const size_t slash = format.rfind('/'); slash != std::string::npos) {
    format.erase(0, slash + 1);
  }
  if (format == "mpeg") format = "mp3";
  if (format == "x-wav" || format == "wave") format = "wav";
  out_.Member("type", "input_audio");
  out_.Key("input_audio");
  out_.BeginObject();
  out_.Member("data", media.has_data() ? Base64(media.data()) : media.url());
  if (!format.empty()) out_.Member("format", format);
  out_.EndObject();
}

void ContentWriter::WriteDocument(const v1::MediaPart& media) {
  out_.BeginObject();
  out_.Member("type", "document_url");
  out_.Member("document_url", media.has_data()
                                  ? DataUrl(media, "application/pdf")
                                  : media.url());
  out_.EndObject();
}

void ContentWriter::WriteFile(const v1::MediaPart& media) {
  out_.Member("type", "file");
  out_.Key("file");
  out_.BeginObject();
  if (media.has_file_id()) {
    out_.Member("file_id", media.file_id());
  } else {
    if (!media.filename().empty()) out_.Member("filename", media.filename());
    out_.Member("file_data", media.has_data()
                                 ? DataUrl(media, "application/pdf")
                                 : media.url());
  }
  out_.EndObject();
}

}  // namespace llm::openai
