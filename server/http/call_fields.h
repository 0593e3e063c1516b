// Members that every request to a model has beside what it asks of the model:
// tags, metadata, priority, deadline. Read alike wherever they stand, since
// they are recorded alike.
//
// Errors: as json_fields.h.
#ifndef LLM_SERVER_HTTP_CALL_FIELDS_H_
#define LLM_SERVER_HTTP_CALL_FIELDS_H_

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/map.h>

#include <string>

#include "absl/status/status.h"
#include "server/http/json_fields.h"

namespace llm::server {

using MetadataMap = google::protobuf::Map<std::string, std::string>;

// Recorded with every row: UTF-8, and at most 256 bytes.
absl::Status ReadTagText(const JsonValue& v, const JsonPath& path,
                         std::string* out);
// OpenAI's bounds: 16 pairs, names of 64 and values of 512 characters.
absl::Status ReadMetadataPairs(const JsonValue& v, const JsonPath& path,
                               MetadataMap* out);
// low, normal, high, urgent.
absl::Status ReadPriorityWord(const JsonValue& v, const JsonPath& path,
                              std::string* out);
// Seconds as a number, or a duration in gRPC's JSON form ("5s", "1.5s").
absl::Status ReadTimeoutText(const JsonValue& v, const JsonPath& path,
                             google::protobuf::Duration* out);

// The same as entries of a table of fields of M.
template <auto kMutable, typename M>
absl::Status ReadTag(const JsonValue& v, const JsonPath& path, M* out) {
  return ReadTagText(v, path, (out->*kMutable)());
}
template <typename M>
absl::Status ReadMetadata(const JsonValue& v, const JsonPath& path, M* out) {
  return ReadMetadataPairs(v, path, out->mutable_metadata());
}
template <typename M>
absl::Status ReadPriority(const JsonValue& v, const JsonPath& path, M* out) {
  return ReadPriorityWord(v, path, out->mutable_priority());
}
template <typename M>
absl::Status ReadTimeout(const JsonValue& v, const JsonPath& path, M* out) {
  return ReadTimeoutText(v, path, out->mutable_timeout());
}

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_CALL_FIELDS_H_
