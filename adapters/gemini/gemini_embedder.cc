#include "adapters/gemini/gemini_embedder.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "adapters/core/json.h"
#include "adapters/core/text.h"
#include "adapters/dialect/provider_words.h"

namespace llm::gemini {
namespace {

// ai.google.dev/api/embeddings, batchEmbedContents: at most 100 requests
// (2026-08-21).
constexpr size_t kMaxRequests = 100;

// Google's word for what a caller of another vendor's contract says.
std::string TaskTypeFor(std::string_view input_type) {
  struct Word {
    std::string_view said;
    std::string_view meant;
  };
  constexpr Word kWords[] = {
      {"query", "RETRIEVAL_QUERY"},
      {"search_query", "RETRIEVAL_QUERY"},
      {"document", "RETRIEVAL_DOCUMENT"},
      {"passage", "RETRIEVAL_DOCUMENT"},
      {"search_document", "RETRIEVAL_DOCUMENT"},
      {"classification", "CLASSIFICATION"},
      {"clustering", "CLUSTERING"},
  };
  for (const Word& word : kWords) {
    if (word.said == input_type) return std::string(word.meant);
  }
  return {};
}

// What of the extra fields Google takes, and the names of the rest.
struct Purpose {
  std::string task_type;
  std::string title;
  std::vector<std::string> unknown;
};

Purpose PurposeOf(const std::string& extra_json) {
  Purpose purpose;
  if (extra_json.empty()) return purpose;
  const auto document = JsonDocument::Parse(extra_json);
  if (!document.ok()) return purpose;
  for (JsonValue v = document->root().First(); v; v = v.Next()) {
    const std::string text = v.StringOr();
    std::string* known = nullptr;
    std::string value = text;
    if (v.KeyEquals("taskType")) known = &purpose.task_type;
    if (v.KeyEquals("title")) known = &purpose.title;
    if (v.KeyEquals("input_type")) {
      value = TaskTypeFor(text);
      // Google's own word says more.
      if (!value.empty() && purpose.task_type.empty()) {
        known = &purpose.task_type;
      }
    }
    if (known != nullptr && !value.empty()) {
      *known = std::move(value);
    } else {
      purpose.unknown.push_back(v.Key());
    }
  }
  return purpose;
}

void WriteContent(const EmbedRequest& request, size_t input,
                  const Purpose& purpose, JsonWriter& json) {
  json.Key("content");
  json.BeginObject();
  json.Key("parts");
  json.BeginArray();
  json.BeginObject();
  json.Member("text", request.input(static_cast<int>(input)));
  json.EndObject();
  json.EndArray();
  json.EndObject();
  if (!purpose.task_type.empty()) json.Member("taskType", purpose.task_type);
  if (!purpose.title.empty()) json.Member("title", purpose.title);
  if (request.has_dimensions()) {
    json.MemberInt("outputDimensionality", request.dimensions());
  }
}

bool ReadValues(JsonValue embedding, std::vector<float>* out) {
  const JsonValue values = embedding.Find("values");
  if (!values.is_array()) return false;
  out->reserve(values.size());
  for (JsonValue v = values.First(); v; v = v.Next()) {
    const auto number = v.AsDouble();
    if (!number) return false;
    out->push_back(static_cast<float>(*number));
  }
  return true;
}

// gemini-embedding-2 counts; gemini-embedding-001 does not (recordings of
// 2026-08): what is not said is estimated above.
void ReadUsage(JsonValue usage, EmbedAnswer* out) {
  const auto tokens = usage.Find("promptTokenCount").AsInt64();
  if (!tokens || *tokens < 0) return;
  out->usage.emplace();
  out->usage->fresh_input = *tokens;
  out->usage->output = 0;
  out->raw_usage_json = AuditedUsage(usage);
}

}  // namespace

EmbedLimits GeminiEmbedder::limits() const {
  return {endpoint_.vertex ? 1 : kMaxRequests, 0};
}

std::vector<std::string> GeminiEmbedder::Dropped(
    const EmbedRequest& request) const {
  std::vector<std::string> dropped = PurposeOf(request.extra_json()).unknown;
  if (!request.user().empty()) dropped.emplace_back("user");
  return dropped;
}

HttpRequest GeminiEmbedder::Render(const EmbedRequest& request,
                                   EmbedBatch batch) const {
  HttpRequest http;
  http.url =
      absl::StrCat(endpoint_.model_url,
                   endpoint_.vertex ? ":embedContent" : ":batchEmbedContents");
  http.headers = endpoint_.headers;
  http.headers.push_back({"content-type", "application/json"});
  http.endpoint = endpoint_.options;
  const Purpose purpose = PurposeOf(request.extra_json());
  JsonWriter json(&http.body);
  json.BeginObject();
  if (endpoint_.vertex) {
    WriteContent(request, batch.first, purpose, json);
  } else {
    json.Key("requests");
    json.BeginArray();
    for (size_t i = batch.first; i < batch.first + batch.count; ++i) {
      json.BeginObject();
      const bool named = model_.find('/') != std::string_view::npos;
      json.Member("model", named ? std::string(model_)
                                 : absl::StrCat("models/", ToAbsl(model_)));
      WriteContent(request, i, purpose, json);
      json.EndObject();
    }
    json.EndArray();
  }
  json.EndObject();
  return http;
}

bool GeminiEmbedder::Decode(JsonValue body, size_t count, EmbedAnswer* out) {
  ReadUsage(body.Find("usageMetadata"), out);
  const JsonValue single = body.Find("embedding");
  if (single.is_object()) {
    return count == 1 && ReadValues(single, &out->vectors.emplace_back());
  }
  const JsonValue embeddings = body.Find("embeddings");
  if (!embeddings.is_array() || embeddings.size() != count) return false;
  for (JsonValue one = embeddings.First(); one; one = one.Next()) {
    if (!ReadValues(one, &out->vectors.emplace_back())) return false;
  }
  return true;
}

void GeminiEmbedder::Normalise(const EmbedRequest& request,
                               std::vector<std::vector<float>>* vectors) const {
  if (!request.has_dimensions()) return;
  for (std::vector<float>& vector : *vectors) {
    double squares = 0;
    for (const float x : vector) {
      squares += static_cast<double>(x) * static_cast<double>(x);
    }
    if (squares <= 0) continue;
    const double length = std::sqrt(squares);
    for (float& x : vector) {
      x = static_cast<float>(static_cast<double>(x) / length);
    }
  }
}

Task<EmbedResult> EmbedWithGemini(const EmbedRequest& request,
                                  const AttemptContext& context,
                                  EmbedEndpoint endpoint,
                                  const EmbedExchange& exchange) {
  EmbedResult result;
  if (!request.token_inputs().empty()) {
    result.attempt = RefuseField(
        "input",
        "this provider takes texts and no token numbers (LangChain: "
        "check_embedding_ctx_length=False)");
    co_return result;
  }
  if (endpoint.model_url.empty()) {
    result.attempt = RefuseAttempt(FailureClass::kModelNotFound,
                                   "no model can have this name");
    co_return result;
  }
  const GeminiEmbedder embedder(context.upstream_model.value,
                                std::move(endpoint));
  result = co_await exchange.Run(request, context, embedder);
  embedder.Normalise(request, &result.vectors);
  co_return result;
}

}  // namespace llm::gemini
