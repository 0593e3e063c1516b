#include "server/http/render_embeddings.h"

#include <array>
#include <bit>
#include <charconv>
#include <string_view>

#include "absl/strings/escaping.h"
#include "adapters/core/json_writer.h"
#include "adapters/core/text.h"
#include "server/http/render_service.h"

namespace llm::server {
namespace {

static_assert(std::endian::native == std::endian::little);

std::string AsBase64(const v1::Embedding& embedding) {
  const std::string_view bytes(
      reinterpret_cast<const char*>(embedding.embedding().data()),
      static_cast<size_t>(embedding.embedding_size()) * sizeof(float));
  return absl::Base64Escape(ToAbsl(bytes));
}

std::string AsNumbers(const v1::Embedding& embedding) {
  std::string text = "[";
  // The longest float32 in shortest form has 15 characters.
  std::array<char, 32> digits;
  for (const float x : embedding.embedding()) {
    if (text.size() > 1) text += ',';
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), x).ptr;
    text.append(digits.data(), end);
  }
  text += ']';
  return text;
}

}  // namespace

size_t FloatsIn(const v1::CreateEmbeddingsResponse& response) {
  size_t floats = 0;
  for (const v1::Embedding& one : response.data()) {
    floats += static_cast<size_t>(one.embedding_size());
  }
  return floats;
}

std::string RenderEmbeddings(const v1::CreateEmbeddingsResponse& response,
                             bool base64) {
  std::string out;
  JsonWriter json(&out);
  json.BeginObject();
  json.Member("object", "list");
  json.Key("data");
  json.BeginArray();
  for (const v1::Embedding& one : response.data()) {
    json.BeginObject();
    json.Member("object", "embedding");
    json.MemberInt("index", one.index());
    if (base64) {
      json.Member("embedding", AsBase64(one));
    } else {
      json.MemberRaw("embedding", AsNumbers(one));
    }
    json.EndObject();
  }
  json.EndArray();
  json.Member("model", response.model());
  json.Key("usage");
  json.BeginObject();
  json.MemberInt("prompt_tokens", response.usage().prompt_tokens());
  json.MemberInt("total_tokens", response.usage().total_tokens());
  json.EndObject();
  if (response.has_llm_service()) WriteService(response.llm_service(), json);
  json.EndObject();
  return out;
}

}  // namespace llm::server
