#include "server/http/call_fields.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "router/call_identity.h"
#include "router/priority.h"

namespace llm::server {
namespace {

constexpr absl::Duration kLongestTimeout = absl::Hours(24 * 366);

// Recorded text reaches databases and gRPC callers: it must be UTF-8.
absl::Status ReadRecorded(const JsonValue& v, const JsonPath& path,
                          size_t limit, std::string* out) {
  if (!v.is_string()) return BadField(path, "must be a string");
  *out = v.StringOr();
  ReplaceInvalidUtf8(out);
  if (out->size() > limit) {
    return BadField(path, absl::StrCat("is longer than ", limit, " bytes"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadTagText(const JsonValue& v, const JsonPath& path,
                         std::string* out) {
  return ReadRecorded(v, path, kMaxTag, out);
}

absl::Status ReadPriorityWord(const JsonValue& v, const JsonPath& path,
                              std::string* out) {
  const std::string word = v.is_string() ? v.StringOr() : "?";
  LLM_RETURN_IF_ERROR(ParsePriority(word, path.ToString()).status());
  *out = word;
  return absl::OkStatus();
}

absl::Status ReadTimeoutText(const JsonValue& v, const JsonPath& path,
                             google::protobuf::Duration* out) {
  absl::Duration timeout;
  if (const auto seconds = v.AsDouble()) {
    timeout = absl::Seconds(*seconds);
  } else if (!v.is_string() || !absl::ParseDuration(v.StringOr(), &timeout)) {
    return BadField(path, "must be seconds as a number, or a text such as 5s");
  }
  if (timeout <= absl::ZeroDuration() || timeout > kLongestTimeout) {
    return BadField(path, "must be a positive time of at most a year");
  }
  out->set_seconds(absl::IDivDuration(timeout, absl::Seconds(1), &timeout));
  out->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(timeout)));
  return absl::OkStatus();
}

absl::Status ReadMetadataPairs(const JsonValue& v, const JsonPath& path,
                               MetadataMap* out) {
  if (!v.is_object()) return BadField(path, "must be an object");
  if (v.size() > kMaxMetadata) {
    return BadField(path,
                    absl::StrCat("has more than ", kMaxMetadata, " pairs"));
  }
  for (JsonValue pair = v.First(); pair; pair = pair.Next()) {
    std::string key = pair.Key();
    ReplaceInvalidUtf8(&key);
    if (key.size() > kMaxMetadataName) {
      return BadField(path, absl::StrCat("has a key longer than ",
                                         kMaxMetadataName, " bytes"));
    }
    LLM_RETURN_IF_ERROR(ReadRecorded(pair, JsonPath(path, key),
                                     kMaxMetadataValue, &(*out)[key]));
  }
  return absl::OkStatus();
}

}  // namespace llm::server
