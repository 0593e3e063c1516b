#include "adapters/gemini/endpoint_url.h"

#include "absl/strings/ascii.h"
#include "adapters/dialect/path_segment.h"

namespace llm::gemini {
namespace {

using sv = std::string_view;

constexpr sv kPublisher = "/publishers/google";

// Segment by segment; empty for what would be another path, or none.
std::string EscapePath(sv path) {
  std::string out;
  while (true) {
    const size_t slash = path.find('/');
    const sv segment = path.substr(0, slash);
    if (segment.empty() || segment == "." || segment == "..") return {};
    for (const char c : segment) {
      if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) return {};
    }
    // Vertex has versions in names: model@001.
    out += EscapeSegment(segment, "@");
    if (slash == sv::npos) return out;
    out += '/';
    path.remove_prefix(slash + 1);
  }
}

bool IsVertex(sv url) {
  const size_t scheme = url.find("://");
  if (scheme == sv::npos) return false;
  url.remove_prefix(scheme + 3);
  sv host = url.substr(0, url.find_first_of("/?#"));
  host = host.substr(0, host.rfind(':'));
  return host.ends_with("aiplatform.googleapis.com") ||
         url.find("/publishers/") != sv::npos;
}

}  // namespace

EndpointUrl::EndpointUrl(const ProviderSettings& settings)
    : base_(settings.base_url), vertex_(IsVertex(settings.base_url)) {
  if (base_.ends_with('/')) base_.pop_back();
  if (vertex_ && base_.find("/publishers/") == std::string::npos) {
    base_ += kPublisher;
  }
}

std::string EndpointUrl::Model(std::string_view upstream_model) const {
  const std::string path = EscapePath(upstream_model);
  if (path.empty()) return {};
  std::string url = base_;
  const bool named = path.find('/') != std::string::npos;
  // A tuned model's endpoint does not lie below a publisher.
  if (vertex_ && named && !path.starts_with("models/")) {
    url.erase(url.rfind("/publishers/"));
  }
  url += '/';
  if (!named) url += "models/";
  return url + path;
}

std::string EndpointUrl::Stream(std::string_view upstream_model) const {
  const std::string url = Model(upstream_model);
  return url.empty() ? url : url + ":streamGenerateContent?alt=sse";
}

std::string EndpointUrl::Models() const {
  // Vertex lists models elsewhere and by other rights.
  return vertex_ ? std::string() : base_ + "/models?pageSize=1";
}

std::vector<HttpHeader> EndpointUrl::Headers(const ApiKey& key) const {
  std::vector<HttpHeader> headers = {
      {"user-agent", "llm-service/" LLM_VERSION}};
  if (key.empty()) return headers;
  if (vertex_) {
    headers.push_back({"authorization", "Bearer " + key.Reveal()});
  } else {
    headers.push_back({"x-goog-api-key", key.Reveal()});
  }
  return headers;
}

}  // namespace llm::gemini
