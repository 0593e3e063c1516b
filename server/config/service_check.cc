// The checks of server and auth that look at more than one setting.
#include <utility>

#include "server/config/service_section.h"
#include "server/config/setting_text.h"
#include "server/config/text.h"
#include "server/config/tls_files.h"

namespace llm::server {
namespace {

struct ListenerAt {
  std::string_view path;      // of its address
  std::string_view tls_path;  // empty: that of the listener before it
  const ListenerConfig* listener;
};

std::vector<ListenerAt> Listeners(const ServerConfig& server) {
  return {{"server.http.listen", "server.http.tls", &server.http},
          {"server.grpc.listen", "server.grpc.tls", &server.grpc},
          {"server.admin.http", "server.admin.tls", &server.admin_http},
          {"server.admin.grpc", "", &server.admin_grpc},
          {"server.metrics.listen", "server.metrics.tls", &server.metrics}};
}

// Where `path` was set; a default has no place of its own.
Place PlaceOf(const ConfigDraft& draft, std::string_view path) {
  const auto it = draft.places.find(std::string(path));
  return it == draft.places.end() ? Place{1, std::string(path)} : it->second;
}

void CheckTls(const ListenerAt& at, const ConfigDraft& draft,
              FaultList* faults) {
  const TlsFiles& tls = at.listener->tls;
  const auto fault = [&](std::string_view given, std::string_view missing) {
    const Place place = PlaceOf(draft, Cat(at.tls_path, given));
    faults->Add(place.line, place.path, Cat("needs ", missing, " too"));
  };
  if (!tls.cert_file.empty() && tls.key_file.empty()) {
    fault(".cert_file", "key_file");
  }
  if (!tls.key_file.empty() && tls.cert_file.empty()) {
    fault(".key_file", "cert_file");
  }
  if (!tls.client_ca_file.empty() && tls.cert_file.empty()) {
    fault(".client_ca_file", "cert_file and key_file");
  }
}

// A cache that was thought of and never turned on is a fault, not a wish.
void CheckEmbeddingCache(const ConfigDraft& draft, FaultList* faults) {
  if (draft.config.embeddings.cache_bytes > 0) return;
  // A size that was given and failed has its own fault.
  if (draft.places.contains("embeddings.cache.max_bytes")) return;
  const auto ttl = draft.places.find("embeddings.cache.ttl");
  if (ttl == draft.places.end()) return;
  faults->Add(ttl->second.line, ttl->second.path,
              "needs max_bytes too: without it nothing is kept");
}

void LookIntoTls(const ListenerAt& at, absl::Time now, ConfigDraft* draft,
                 FaultList* faults) {
  const TlsFiles& tls = at.listener->tls;
  // One without the other has its fault already.
  if (tls.cert_file.empty() || tls.key_file.empty()) return;
  const TlsReport report = CheckTlsFiles(tls, now);
  for (const TlsFinding& finding : report.faults) {
    const Place place = PlaceOf(*draft, Cat(at.tls_path, ".", finding.setting));
    faults->Add(place.line, place.path, finding.what);
  }
  for (const TlsFinding& finding : report.notices) {
    draft->config.notices.push_back(
        Cat(at.tls_path, ".", finding.setting, ": ", finding.what));
  }
}

void CheckSameAddress(const std::vector<ListenerAt>& listeners,
                      const ConfigDraft& draft, FaultList* faults) {
  for (size_t i = 0; i < listeners.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const std::string& address = listeners[i].listener->address;
      const auto parsed = ParseListenSetting(address);
      if (!parsed.ok() || parsed->port == 0 ||
          address != listeners[j].listener->address) {
        continue;
      }
      const Place place = PlaceOf(draft, listeners[i].path);
      faults->Add(place.line, place.path,
                  Cat("is the address of ", listeners[j].path));
    }
  }
}

// One body must fit, or the largest would be refused for ever.
void CheckBodyMemory(const ConfigDraft& draft, FaultList* faults) {
  const ServerConfig& server = draft.config.server;
  if (server.max_body_memory == 0 ||
      server.max_body_memory >= server.max_body) {
    return;
  }
  const Place place = PlaceOf(draft, "server.max_body_memory");
  faults->Add(place.line, place.path, "is less than server.max_body");
}

void CheckOpenListeners(const std::vector<ListenerAt>& listeners,
                        const ConfigDraft& draft, FaultList* faults) {
  for (const ListenerAt& at : listeners) {
    const auto parsed = ParseListenSetting(at.listener->address);
    if (!parsed.ok() || parsed->loopback) continue;
    const Place place = PlaceOf(draft, at.path);
    faults->Add(place.line, place.path,
                "is not loopback, which auth.mode none requires; set "
                "auth.mode: keys and an admin key");
  }
}

}  // namespace

void CheckService(LoadContext* context, ConfigDraft* draft) {
  FaultList* faults = context->faults;
  Config& config = draft->config;
  const std::vector<ListenerAt> listeners = Listeners(config.server);
  for (const ListenerAt& at : listeners) {
    if (at.tls_path.empty()) continue;
    CheckTls(at, *draft, faults);
    LookIntoTls(at, context->sources->now, draft, faults);
  }
  CheckSameAddress(listeners, *draft, faults);
  CheckBodyMemory(*draft, faults);
  CheckEmbeddingCache(*draft, faults);
  if (!config.store.ledger) {
    config.notices.push_back(
        "store.ledger is false: nothing is recorded, usage and costs are lost");
  }
  config.auth.mode = draft->auth_mode.value_or(
      config.auth.admin_key.empty() ? AuthMode::kNone : AuthMode::kKeys);
  if (!draft->auth_mode.has_value()) {
    config.notices.push_back(
        config.auth.mode == AuthMode::kKeys
            ? "auth.mode is keys: an admin key is set"
            : "auth.mode is none: no admin key is set; loopback only");
  }
  if (config.auth.mode == AuthMode::kNone) {
    CheckOpenListeners(listeners, *draft, faults);
    return;
  }
  // An admin_key that was given and failed has its own fault.
  if (config.auth.admin_key.empty() &&
      !draft->places.contains("auth.admin_key")) {
    const Place place = PlaceOf(*draft, "auth.mode");
    faults->Add(place.line, place.path,
                "keys needs auth.admin_key (env:NAME or file:PATH), or "
                "LLM_SERVICE_ADMIN_KEY set");
  }
}

}  // namespace llm::server
