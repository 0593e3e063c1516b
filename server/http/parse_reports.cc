#include "server/http/parse_reports.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "adapters/core/json.h"
#include "adapters/core/status_macros.h"
#include "router/call_error.h"
#include "server/http/json_fields.h"

namespace llm::server {
namespace {

using v1::CreateKeyRequest;

constexpr std::string_view kDimensions[] = {
    "model", "day",       "hour",   "user",  "key",
    "org",   "task_type", "run_id", "agent", "provider"};

bool IsDimension(std::string_view name) {
  return std::find(std::begin(kDimensions), std::end(kDimensions), name) !=
         std::end(kDimensions);
}

absl::Status ReadModels(const JsonValue& v, const JsonPath& path,
                        CreateKeyRequest* out) {
  if (!v.is_array()) return BadField(path, "must be an array");
  out->clear_models();
  int index = 0;
  for (JsonValue model = v.First(); model; model = model.Next(), ++index) {
    if (!model.is_string()) {
      return BadField(JsonPath(path, index), "must be a string");
    }
    out->add_models(model.StringOr());
  }
  return absl::OkStatus();
}

template <auto kMutable>
absl::Status Text(const JsonValue& v, const JsonPath& path,
                  CreateKeyRequest* out) {
  LLM_RETURN_IF_ERROR((ReadString<kMutable, CreateKeyRequest>(v, path, out)));
  // Stored and shown: it must be UTF-8.
  ReplaceInvalidUtf8((out->*kMutable)());
  return absl::OkStatus();
}

constexpr JsonField<CreateKeyRequest> kKeyFields[] = {
    {"name", Text<&CreateKeyRequest::mutable_name>},
    {"org", Text<&CreateKeyRequest::mutable_org>},
    {"team", Text<&CreateKeyRequest::mutable_team>},
    {"user", Text<&CreateKeyRequest::mutable_user>},
    {"models", ReadModels},
    {"expires_at", Text<&CreateKeyRequest::mutable_expires_at>},
    {"org_admin", ReadBool<&CreateKeyRequest::set_org_admin, CreateKeyRequest>},
};

}  // namespace

absl::StatusOr<v1::GetUsageRequest> ParseUsageQuery(const QueryPairs& query) {
  v1::GetUsageRequest request;
  for (const auto& [name, value] : query) {
    if (name == "from") {
      request.set_from(value);
    } else if (name == "to") {
      request.set_to(value);
    } else if (name == "by") {
      for (const auto part : absl::StrSplit(value, ',', absl::SkipEmpty())) {
        const std::string by(part.data(), part.size());
        if (!IsDimension(by)) {
          return RefuseField("by",
                             "by takes model, day, hour, user, key, org, "
                             "task_type, run_id, agent and provider.");
        }
        request.add_by(by);
      }
    } else if (IsDimension(name)) {
      (*request.mutable_filter())[name] = value;
    } else {
      return RefuseField("query", "The query has an unknown name.");
    }
  }
  return request;
}

absl::StatusOr<v1::ListKeysRequest> ParseListKeys(const QueryPairs& query) {
  v1::ListKeysRequest request;
  for (const auto& [name, value] : query) {
    if (name != "include_revoked") {
      return RefuseField("query", "The query has an unknown name.");
    }
    if (value != "true" && value != "1" && value != "false" && value != "0") {
      return RefuseField("include_revoked",
                         "include_revoked must be true or false.");
    }
    request.set_include_revoked(value == "true" || value == "1");
  }
  return request;
}

absl::StatusOr<v1::CreateKeyRequest> ParseCreateKey(std::string_view body) {
  const auto doc = JsonDocument::Parse(body);
  if (!doc.ok()) return RefuseField("", "The body is not valid JSON.");
  const JsonPath top("");
  v1::CreateKeyRequest request;
  std::string unknown;
  LLM_RETURN_IF_ERROR(ReadFields<CreateKeyRequest>(doc->root(), top, kKeyFields,
                                                   &request, &unknown));
  if (unknown.empty()) return request;
  const auto extra = JsonDocument::Parse(unknown);
  const std::string name =
      extra.ok() ? extra->root().First().Key() : std::string();
  return BadField(JsonPath(top, name), "is not a setting of a key");
}

absl::StatusOr<v1::TestProviderRequest> ParseTestProvider(
    std::string_view body) {
  v1::TestProviderRequest request;
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return request;
  }
  const auto doc = JsonDocument::Parse(body);
  if (!doc.ok() || !doc->root().is_object()) {
    return RefuseField("", "The body is not a JSON object.");
  }
  for (JsonValue v = doc->root().First(); v; v = v.Next()) {
    if (!v.KeyEquals("model")) {
      return BadField(JsonPath(JsonPath(""), v.Key()), "is not known here");
    }
    if (!v.is_string()) return RefuseField("model", "model must be a string.");
    request.set_model(v.StringOr());
    ReplaceInvalidUtf8(request.mutable_model());
  }
  return request;
}

}  // namespace llm::server
