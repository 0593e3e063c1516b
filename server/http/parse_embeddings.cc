#include "server/http/parse_embeddings.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "router/call_error.h"
#include "server/core/embed_check.h"
#include "server/core/read_request.h"
#include "server/http/call_fields.h"
#include "server/http/json_fields.h"

namespace llm::server {
namespace {

absl::Status ReadTokens(const JsonValue& v, const JsonPath& path,
                        v1::TokenInput* out) {
  out->mutable_tokens()->Reserve(static_cast<int>(v.size()));
  for (JsonValue t = v.First(); t; t = t.Next()) {
    const auto token = t.AsInt64();
    if (!token || *token < 0 || *token > std::numeric_limits<int32_t>::max()) {
      return BadField(path, "must hold texts, or token numbers");
    }
    out->add_tokens(static_cast<int32_t>(*token));
  }
  return absl::OkStatus();
}

absl::Status ReadInput(const JsonValue& v, const JsonPath& path,
                       EmbeddingsBody* out) {
  v1::CreateEmbeddingsRequest& message = out->message;
  if (v.is_string()) {
    message.add_input(v.StringOr());
    return absl::OkStatus();
  }
  if (!v.is_array()) {
    return BadField(path, "must be a text, or a list of texts or tokens");
  }
  if (v.First().is_number()) {
    return ReadTokens(v, path, message.add_token_inputs());
  }
  for (JsonValue one = v.First(); one; one = one.Next()) {
    if (one.is_string()) {
      message.add_input(one.StringOr());
    } else if (one.is_array()) {
      LLM_RETURN_IF_ERROR(ReadTokens(one, path, message.add_token_inputs()));
    } else {
      return BadField(path, "must hold texts, or lists of token numbers");
    }
  }
  if (!message.input().empty() && !message.token_inputs().empty()) {
    return BadField(path, "must hold texts or token lists, and not both");
  }
  return absl::OkStatus();
}

absl::Status ReadEncoding(const JsonValue& v, const JsonPath& path,
                          EmbeddingsBody* out) {
  out->base64 = v.Equals("base64");
  if (out->base64 || v.Equals("float")) return absl::OkStatus();
  return BadField(path, "must be float or base64");
}

// A member of the message behind an EmbeddingsBody.
template <auto kRead>
absl::Status InMessage(const JsonValue& v, const JsonPath& path,
                       EmbeddingsBody* out) {
  return kRead(v, path, &out->message);
}

using M = v1::CreateEmbeddingsRequest;
constexpr JsonField<EmbeddingsBody> kEmbedFields[] = {
    {"model", InMessage<ReadString<&M::mutable_model, M>>},
    {"input", ReadInput},
    {"encoding_format", ReadEncoding},
    {"dimensions", InMessage<ReadInt32<&M::set_dimensions, M>>},
    {"user", InMessage<ReadTag<&M::mutable_user, M>>},
    {"run_id", InMessage<ReadTag<&M::mutable_run_id, M>>},
    {"agent", InMessage<ReadTag<&M::mutable_agent, M>>},
    {"task_type", InMessage<ReadTag<&M::mutable_task_type, M>>},
    {"metadata", InMessage<ReadMetadata<M>>},
    {"priority", InMessage<ReadPriority<M>>},
    {"strict", InMessage<ReadBool<&M::set_strict, M>>},
    {"timeout", InMessage<ReadTimeout<M>>},
};

}  // namespace

absl::StatusOr<EmbeddingsBody> ParseEmbeddings(
    std::shared_ptr<const std::string> body) {
  if (body->size() >= std::numeric_limits<uint32_t>::max()) {
    return RefuseField("", "The body is too long.");
  }
  JsonDocument::Options options;
  options.max_values = kMaxEmbedValues;
  const auto doc = JsonDocument::Parse(*body, options);
  if (absl::IsResourceExhausted(doc.status())) {
    return RefuseBody(absl::StrCat("The body holds more than ", kMaxEmbedValues,
                                   " values (texts, tokens, fields)."));
  }
  if (!doc.ok()) {
    return RefuseField("", absl::StrCat("The body is not valid JSON: ",
                                        doc.status().message()));
  }
  if (!doc->root().is_object()) {
    return RefuseField("", "The body must be a JSON object.");
  }
  EmbeddingsBody call;
  LLM_RETURN_IF_ERROR(
      ReadFields<EmbeddingsBody>(doc->root(), JsonPath(""), kEmbedFields, &call,
                                 call.message.mutable_extra_json()));
  LLM_RETURN_IF_ERROR(CheckEmbedRequest(call.message));
  return call;
}

}  // namespace llm::server
