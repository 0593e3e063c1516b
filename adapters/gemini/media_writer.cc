#include "adapters/gemini/media_writer.h"

#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "adapters/core/json_writer.h"
#include "adapters/dialect/data_url.h"

namespace llm::gemini {
namespace {

using sv = std::string_view;

constexpr sv kFilesApi = "https://generativelanguage.googleapis.com/";

sv Fallback(v1::MediaPart::Kind kind) {
  switch (kind) {
    case v1::MediaPart::AUDIO:
      return "audio/wav";
    case v1::MediaPart::VIDEO:
      return "video/mp4";
    case v1::MediaPart::FILE:
      return "application/pdf";
    default:
      return "image/png";
  }
}

// "wav" is enough for audio.
std::string MimeType(const v1::MediaPart& media, sv said) {
  std::string type(said.empty() ? sv(media.mime_type()) : said);
  if (type.empty()) return std::string(Fallback(media.kind()));
  if (type.find('/') != std::string::npos) return type;
  return (media.kind() == v1::MediaPart::AUDIO ? "audio/" : "") + type;
}

std::string Inline(sv mime_type, sv base64) {
  std::string out = "\"inlineData\":";
  JsonWriter writer(&out);
  writer.BeginObject();
  writer.Member("mimeType", mime_type);
  writer.Member("data", base64);
  writer.EndObject();
  return out;
}

std::string FileAt(sv mime_type, sv uri) {
  std::string out = "\"fileData\":";
  JsonWriter writer(&out);
  writer.BeginObject();
  if (!mime_type.empty()) writer.Member("mimeType", mime_type);
  writer.Member("fileUri", uri);
  writer.EndObject();
  return out;
}

bool IsYouTube(sv url) {
  for (const sv start : {"https://www.youtube.com/", "https://youtube.com/",
                         "https://youtu.be/", "https://m.youtube.com/"}) {
    if (url.starts_with(start)) return true;
  }
  return false;
}

// Vertex AI fetches public addresses itself and wants their type
// (cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference,
// 2026-08; recorded exchanges); AI Studio does not.
bool Served(sv url, bool vertex) {
  if (vertex && (url.starts_with("gs://") || url.starts_with("https://"))) {
    return true;
  }
  return IsYouTube(url) ||
         (url.starts_with(kFilesApi) && url.find("/files/") != sv::npos);
}

// The type that an address names by its ending; empty where it names none.
sv TypeOfAddress(sv url) {
  url = url.substr(0, url.find_first_of("?#"));
  constexpr std::pair<sv, sv> kEndings[] = {
      {".png", "image/png"},   {".jpg", "image/jpeg"},
      {".jpeg", "image/jpeg"}, {".webp", "image/webp"},
      {".gif", "image/gif"},   {".pdf", "application/pdf"},
      {".txt", "text/plain"},  {".mp4", "video/mp4"},
      {".mp3", "audio/mpeg"},  {".wav", "audio/wav"}};
  const std::string lower = absl::AsciiStrToLower(std::string(url));
  for (const auto& [ending, type] : kEndings) {
    if (lower.ends_with(ending)) return type;
  }
  return {};
}

// "files/abc" is the Files API's own name for what lies there.
std::string FileUri(const std::string& id) {
  if (!id.starts_with("files/")) return id;
  return std::string(kFilesApi) + "v1beta/" + id;
}

sv ParamOf(v1::MediaPart::Kind kind) {
  switch (kind) {
    case v1::MediaPart::AUDIO:
      return "messages.content.input_audio";
    case v1::MediaPart::VIDEO:
      return "messages.content.video_url";
    case v1::MediaPart::FILE:
      return "messages.content.file";
    default:
      return "messages.content.image_url";
  }
}

}  // namespace

std::string MediaMember(const v1::MediaPart& media, Rendering& to) {
  if (!media.detail().empty() && media.detail() != "auto") {
    to.dropped.Add("messages.content.image_url.detail");
  }
  if (media.has_data()) {
    return Inline(MimeType(media, {}), absl::Base64Escape(media.data()));
  }
  if (media.has_url() && IsDataUrl(media.url())) {
    const auto data = ReadDataUrl(media.url());
    if (data.ok()) return Inline(MimeType(media, data->type), data->base64);
    to.Refuse(std::string(ParamOf(media.kind())),
              std::string(data.status().message()));
    return {};
  }
  const bool sound = media.kind() == v1::MediaPart::AUDIO;
  const std::string uri =
      media.has_file_id() ? FileUri(media.file_id()) : std::string(media.url());
  // An audio part's url has been base64 where no scheme is.
  if (sound && !media.has_file_id() && uri.find(':') == std::string::npos) {
    return Inline(MimeType(media, {}), uri);
  }
  if (Served(uri, to.vertex)) {
    std::string type = media.mime_type().empty() ? "" : MimeType(media, {});
    if (type.empty() && to.vertex) type = MimeType(media, TypeOfAddress(uri));
    return FileAt(type, uri);
  }
  to.Refuse(std::string(ParamOf(media.kind())),
            media.has_file_id()
                ? "the file is unknown to this provider"
                : "addresses are not fetched: send the content as a data: URL");
  return {};
}

bool FitsToolResult(const v1::MediaPart& media) {
  std::string type = media.mime_type();
  const std::string& url = media.url();
  if (IsDataUrl(url)) {
    type = url.substr(5, url.find_first_of(";,") - 5);
  }
  if (type.empty()) type = std::string(Fallback(media.kind()));
  for (const sv fits : {"image/png", "image/jpeg", "image/webp",
                        "application/pdf", "text/plain"}) {
    if (type == fits) return true;
  }
  return false;
}

}  // namespace llm::gemini
