#include "server/core/embed_check.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "adapters/core/json.h"
#include "adapters/core/status_macros.h"
#include "router/call_error.h"
#include "server/core/envelope_check.h"

namespace llm::server {
namespace {

absl::Status CheckInputs(const v1::CreateEmbeddingsRequest& request) {
  const int texts = request.input_size();
  const int lists = request.token_inputs_size();
  if (texts > 0 && lists > 0) {
    return RefuseField("input", "input and token_inputs exclude each other");
  }
  if (texts + lists == 0) {
    return RefuseField("input",
                       "input must hold at least one text or token list");
  }
  if (texts + lists > kMaxEmbedInputs) {
    return RefuseField(
        "input",
        absl::StrCat("input holds ", texts + lists, " inputs; at most ",
                     kMaxEmbedInputs, " are taken at once"));
  }
  for (int i = 0; i < texts; ++i) {
    if (request.input(i).empty()) {
      return RefuseField("input", absl::StrCat("input[", i, "] is empty"));
    }
  }
  for (int i = 0; i < lists; ++i) {
    const auto& tokens = request.token_inputs(i).tokens();
    if (tokens.empty()) {
      return RefuseField("input", absl::StrCat("input[", i, "] is empty"));
    }
    if (std::any_of(tokens.begin(), tokens.end(),
                    [](int32_t token) { return token < 0; })) {
      return RefuseField("input",
                         absl::StrCat("input[", i, "] holds a negative token"));
    }
  }
  return absl::OkStatus();
}

// It is spliced into upstream bodies, where it must not say again what the
// message says.
absl::Status CheckExtra(const std::string& extra_json) {
  if (extra_json.empty()) return absl::OkStatus();
  JsonDocument::Options options;
  options.max_values = kMaxEmbedValues;
  const auto document = JsonDocument::Parse(extra_json, options);
  if (!document.ok() || !document->root().is_object()) {
    return RefuseField("extra_json", "this must be a JSON object");
  }
  for (JsonValue v = document->root().First(); v; v = v.Next()) {
    for (const std::string_view own :
         {"model", "input", "encoding_format", "dimensions", "output_dimension",
          "user"}) {
      if (v.KeyEquals(own)) {
        return RefuseField(own, own == "output_dimension"
                                    ? "use dimensions, whoever the provider is"
                                    : "the request has a field for this; "
                                      "extra_json must not hold it too");
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckEmbedRequest(const v1::CreateEmbeddingsRequest& request) {
  LLM_RETURN_IF_ERROR(CheckInputs(request));
  if (request.has_dimensions() && request.dimensions() < 1) {
    return RefuseField("dimensions", "dimensions must be positive");
  }
  LLM_RETURN_IF_ERROR(CheckEnvelope(request));
  return CheckExtra(request.extra_json());
}

}  // namespace llm::server
