#include <optional>
#include <string>

#include "absl/strings/escaping.h"
#include "server/http/parse_message.h"

namespace llm::server {
namespace {

using Part = v1::Part;
using Media = v1::MediaPart;

bool IsUrl(std::string_view text) {
  return text.starts_with("https://") || text.starts_with("http://") ||
         text.starts_with("data:");
}

absl::Status ReadUrl(const JsonValue& v, const JsonPath& path, Media* out) {
  if (!v.is_string()) return BadField(path, "must be a string");
  out->set_url(v.StringOr());
  return absl::OkStatus();
}

// Base64, or, as compatible servers allow, a URL in its place (Qwen's
// input_audio.data; help.aliyun.com/zh/model-studio/qwen-omni, 2026-11).
absl::Status ReadDataOrUrl(const JsonValue& v, const JsonPath& path,
                           Media* out) {
  const auto text = v.AsString();
  if (!text) return BadField(path, "must be a string");
  if (IsUrl(*text)) {
    out->set_url(*text);
    return absl::OkStatus();
  }
  std::string data;
  if (!absl::Base64Unescape(*text, &data)) {
    return BadField(path, "must be base64 or a data: URL");
  }
  out->set_data(std::move(data));
  return absl::OkStatus();
}

absl::Status ReadFileId(const JsonValue& v, const JsonPath& path, Media* out) {
  if (!v.is_string()) return BadField(path, "must be a string");
  out->set_file_id(v.StringOr());
  return absl::OkStatus();
}

constexpr JsonField<Media> kUrlFields[] = {
    {"url", ReadUrl},
    {"detail", ReadString<&Media::mutable_detail, Media>},
};
constexpr JsonField<Media> kAudioFields[] = {
    {"data", ReadDataOrUrl},
    {"format", ReadString<&Media::mutable_mime_type, Media>},
};
constexpr JsonField<Media> kFileFields[] = {
    {"file_id", ReadFileId},
    {"file_data", ReadDataOrUrl},
    {"filename", ReadString<&Media::mutable_filename, Media>},
};

template <Media::Kind kKind>
absl::Status ReadUrlMedia(const JsonValue& v, const JsonPath& path, Part* out) {
  Media* media = out->mutable_media();
  media->set_kind(kKind);
  // A bare string instead of {"url": …} is common among clients.
  if (v.is_string()) return ReadUrl(v, path, media);
  LLM_RETURN_IF_ERROR(ReadFields<Media>(v, path, kUrlFields, media, nullptr));
  if (media->source_case() == Media::SOURCE_NOT_SET) {
    return BadField(JsonPath(path, "url"), "is missing");
  }
  return absl::OkStatus();
}

absl::Status ReadAudio(const JsonValue& v, const JsonPath& path, Part* out) {
  Media* media = out->mutable_media();
  media->set_kind(Media::AUDIO);
  LLM_RETURN_IF_ERROR(ReadFields<Media>(v, path, kAudioFields, media, nullptr));
  if (media->source_case() == Media::SOURCE_NOT_SET) {
    return BadField(JsonPath(path, "data"), "is missing");
  }
  return absl::OkStatus();
}

absl::Status ReadFile(const JsonValue& v, const JsonPath& path, Part* out) {
  Media* media = out->mutable_media();
  media->set_kind(Media::FILE);
  LLM_RETURN_IF_ERROR(ReadFields<Media>(v, path, kFileFields, media, nullptr));
  if (media->source_case() == Media::SOURCE_NOT_SET) {
    return BadField(path, "must have file_id or file_data");
  }
  return absl::OkStatus();
}

absl::Status ReadText(const JsonValue& v, const JsonPath& path, Part* out) {
  if (!v.is_string()) return BadField(path, "must be a string");
  out->mutable_text()->set_text(v.StringOr());
  return absl::OkStatus();
}

absl::Status ReadRefusal(const JsonValue& v, const JsonPath& path, Part* out) {
  if (!v.is_string()) return BadField(path, "must be a string");
  out->mutable_refusal()->set_text(v.StringOr());
  return absl::OkStatus();
}

absl::Status Skip(const JsonValue&, const JsonPath&, Part*) {
  return absl::OkStatus();
}

// A kind of part: its type, and the member of that name that holds it.
struct PartKind {
  std::string_view type;
  JsonField<Part> body;
};
constexpr PartKind kPartKinds[] = {
    {"text", {"text", ReadText}},
    {"image_url", {"image_url", ReadUrlMedia<Media::IMAGE>}},
    {"input_audio", {"input_audio", ReadAudio}},
    {"file", {"file", ReadFile}},
    {"refusal", {"refusal", ReadRefusal}},
    // Qwen's, see above; also OpenRouter and vLLM.
    {"video_url", {"video_url", ReadUrlMedia<Media::VIDEO>}},
};

}  // namespace

absl::Status ParseContentPart(const JsonValue& json, const JsonPath& path,
                              v1::Part* out) {
  if (!json.is_object()) return BadField(path, "must be an object");
  const JsonValue type = json.Find("type");
  if (!type.is_string()) {
    return BadField(JsonPath(path, "type"), "must be a string");
  }
  for (const PartKind& kind : kPartKinds) {
    if (!type.Equals(kind.type)) continue;
    const JsonField<Part> fields[] = {{"type", Skip}, kind.body};
    LLM_RETURN_IF_ERROR(
        ReadFields<Part>(json, path, fields, out, out->mutable_extra_json()));
    if (out->kind_case() == Part::KIND_NOT_SET) {
      return BadField(JsonPath(path, kind.body.name), "is missing");
    }
    return absl::OkStatus();
  }
  out->mutable_opaque()->set_origin("openai");
  out->mutable_opaque()->mutable_json()->assign(json.raw());
  return RefuseRepeated(json, path);
}

}  // namespace llm::server
