#include "adapters/openai/endpoint_url.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "adapters/core/text.h"
#include "adapters/dialect/path_segment.h"

namespace llm::openai {
namespace {

constexpr std::string_view kDeployments = "/deployments/";

bool IsAzure(const ProviderSettings& settings) {
  return settings.profile == "azure";
}

bool HasPath(std::string_view url) {
  const size_t authority = url.find("://");
  return authority != std::string_view::npos &&
         url.find('/', authority + 3) != std::string_view::npos;
}

}  // namespace

const Profile& ProfileFor(const ProviderSettings& settings) {
  // The developer role, max_completion_tokens and reasoning_effort came with
  // 2024-12-01-preview; "v1" and "preview" are later than every date.
  const std::string& version = settings.api_version;
  const bool early =
      IsAzure(settings) && !version.empty() &&
      absl::ascii_isdigit(static_cast<unsigned char>(version.front())) &&
      version < "2024-12-01";
  return FindProfile(early ? std::string_view("azure-2024")
                           : std::string_view(settings.profile));
}

EndpointUrl::EndpointUrl(const ProviderSettings& settings)
    : base_(absl::StripSuffix(settings.base_url, "/")) {
  const std::string& version = settings.api_version;
  if (IsAzure(settings) && !HasPath(base_)) {
    base_ += version.empty() ? "/openai/v1" : "/openai";
  }
  if (version.empty()) return;
  query_ = absl::StrCat("?api-version=", version);
  model_in_path_ = IsAzure(settings) && !base_.ends_with("/v1") &&
                   base_.find(kDeployments) == std::string::npos;
}

std::string EndpointUrl::Chat(std::string_view upstream_model) const {
  return OfModel(upstream_model, "/chat/completions");
}

std::string EndpointUrl::Embeddings(std::string_view upstream_model) const {
  return OfModel(upstream_model, "/embeddings");
}

std::string EndpointUrl::OfModel(std::string_view upstream_model,
                                 std::string_view path) const {
  if (!model_in_path_) return absl::StrCat(base_, ToAbsl(path), query_);
  if (upstream_model.empty() || upstream_model == "." ||
      upstream_model == "..") {
    return {};
  }
  return absl::StrCat(base_, std::string(kDeployments),
                      EscapeSegment(upstream_model), ToAbsl(path), query_);
}

std::string EndpointUrl::Models() const {
  return absl::StrCat(base_.substr(0, base_.find(kDeployments)), "/models",
                      query_);
}

}  // namespace llm::openai
