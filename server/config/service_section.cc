#include "server/config/service_section.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "adapters/core/status_macros.h"
#include "server/config/secret_reference.h"
#include "server/config/setting_text.h"
#include "server/config/text.h"

namespace llm::server {
namespace {

using Setter = absl::Status (*)(const std::string& text, LoadContext* context,
                                ConfigDraft* draft);

struct ScalarSetting {
  std::string_view path;
  Setter set;
};

template <ListenerConfig ServerConfig::*kListener>
absl::Status SetListen(const std::string& text, LoadContext*,
                       ConfigDraft* draft) {
  LLM_RETURN_IF_ERROR(ParseListenSetting(text).status());
  (draft->config.server.*kListener).address = text;
  return absl::OkStatus();
}

template <ListenerConfig ServerConfig::*kListener, std::string TlsFiles::*kFile>
absl::Status SetTls(const std::string& text, LoadContext*, ConfigDraft* draft) {
  (draft->config.server.*kListener).tls.*kFile = text;
  if (text.empty()) return absl::OkStatus();
  return ReadSmallFile(text, size_t{1} << 20).status();
}

// One TLS block covers both admin listeners.
template <std::string TlsFiles::*kFile>
absl::Status SetAdminTls(const std::string& text, LoadContext* context,
                         ConfigDraft* draft) {
  draft->config.server.admin_grpc.tls.*kFile = text;
  return SetTls<&ServerConfig::admin_http, kFile>(text, context, draft);
}

absl::Status SetWorkers(const std::string& text, LoadContext*,
                        ConfigDraft* draft) {
  LLM_ASSIGN_OR_RETURN(const int64_t workers, ParseIntSetting(text, 1, 1024));
  draft->config.server.workers = static_cast<int>(workers);
  return absl::OkStatus();
}

absl::Status SetMaxBody(const std::string& text, LoadContext*,
                        ConfigDraft* draft) {
  LLM_ASSIGN_OR_RETURN(const int64_t bytes, ParseSizeSetting(text));
  // Offsets into a body are 32 bits wide, and gRPC counts in int32.
  if (bytes < 1024 || bytes > (int64_t{1} << 30)) {
    return absl::InvalidArgumentError("must be between 1KiB and 1GiB");
  }
  draft->config.server.max_body = bytes;
  return absl::OkStatus();
}

template <int ServerConfig::*kLimit>
absl::Status SetLimit(const std::string& text, LoadContext*,
                      ConfigDraft* draft) {
  LLM_ASSIGN_OR_RETURN(const int64_t limit,
                       ParseIntSetting(text, 1, 1'000'000));
  draft->config.server.*kLimit = static_cast<int>(limit);
  return absl::OkStatus();
}

absl::Status SetMaxBodyMemory(const std::string& text, LoadContext*,
                              ConfigDraft* draft) {
  LLM_ASSIGN_OR_RETURN(const int64_t bytes, ParseSizeSetting(text));
  if (bytes < (int64_t{1} << 20)) {
    return absl::InvalidArgumentError("must be at least 1MiB");
  }
  draft->config.server.max_body_memory = bytes;
  return absl::OkStatus();
}

absl::Status SetDrain(const std::string& text, LoadContext*,
                      ConfigDraft* draft) {
  LLM_ASSIGN_OR_RETURN(draft->config.server.drain, ParseDurationSetting(text));
  return absl::OkStatus();
}

absl::Status SetStreamGrace(const std::string& text, LoadContext*,
                            ConfigDraft* draft) {
  LLM_ASSIGN_OR_RETURN(const absl::Duration grace, ParseDurationSetting(text));
  if (grace < absl::Milliseconds(10)) {
    return absl::InvalidArgumentError("must be at least 10ms");
  }
  draft->config.server.stream_grace = grace;
  return absl::OkStatus();
}

absl::Status SetAuthMode(const std::string& text, LoadContext*,
                         ConfigDraft* draft) {
  if (text != "keys" && text != "none") {
    return absl::InvalidArgumentError(
        Cat("'", Shown(text), "' is not keys or none"));
  }
  draft->auth_mode = text == "keys" ? AuthMode::kKeys : AuthMode::kNone;
  return absl::OkStatus();
}

absl::Status SetAdminKey(const std::string& text, LoadContext* context,
                         ConfigDraft* draft) {
  LLM_ASSIGN_OR_RETURN(draft->config.auth.admin_key,
                       ResolveSecret(text, context));
  return absl::OkStatus();
}

absl::Status SetSqlite(const std::string& text, LoadContext*,
                       ConfigDraft* draft) {
  if (text.empty()) return absl::InvalidArgumentError("is empty");
  draft->config.store.sqlite = text;
  return absl::OkStatus();
}

absl::Status SetLedger(const std::string& text, LoadContext*,
                       ConfigDraft* draft) {
  LLM_ASSIGN_OR_RETURN(draft->config.store.ledger, ParseBoolSetting(text));
  return absl::OkStatus();
}

absl::Status SetPostgres(const std::string&, LoadContext*, ConfigDraft*) {
  return absl::InvalidArgumentError("comes later; use store.sqlite");
}

absl::Status SetCacheBytes(const std::string& text, LoadContext*,
                           ConfigDraft* draft) {
  LLM_ASSIGN_OR_RETURN(const int64_t bytes, ParseSizeSetting(text));
  if (bytes < (int64_t{1} << 20)) {
    return absl::InvalidArgumentError(
        "must be at least 1MiB (without embeddings.cache nothing is kept)");
  }
  draft->config.embeddings.cache_bytes = bytes;
  return absl::OkStatus();
}

absl::Status SetCacheTtl(const std::string& text, LoadContext*,
                         ConfigDraft* draft) {
  LLM_ASSIGN_OR_RETURN(const absl::Duration ttl, ParseDurationSetting(text));
  if (ttl < absl::Seconds(1)) {
    return absl::InvalidArgumentError("must be at least 1s");
  }
  draft->config.embeddings.cache_ttl = ttl;
  return absl::OkStatus();
}

constexpr ScalarSetting kSettings[] = {
    {"server.http.listen", &SetListen<&ServerConfig::http>},
    {"server.http.tls.cert_file",
     &SetTls<&ServerConfig::http, &TlsFiles::cert_file>},
    {"server.http.tls.key_file",
     &SetTls<&ServerConfig::http, &TlsFiles::key_file>},
    {"server.http.tls.client_ca_file",
     &SetTls<&ServerConfig::http, &TlsFiles::client_ca_file>},
    {"server.grpc.listen", &SetListen<&ServerConfig::grpc>},
    {"server.grpc.tls.cert_file",
     &SetTls<&ServerConfig::grpc, &TlsFiles::cert_file>},
    {"server.grpc.tls.key_file",
     &SetTls<&ServerConfig::grpc, &TlsFiles::key_file>},
    {"server.grpc.tls.client_ca_file",
     &SetTls<&ServerConfig::grpc, &TlsFiles::client_ca_file>},
    {"server.admin.http", &SetListen<&ServerConfig::admin_http>},
    {"server.admin.grpc", &SetListen<&ServerConfig::admin_grpc>},
    {"server.admin.tls.cert_file", &SetAdminTls<&TlsFiles::cert_file>},
    {"server.admin.tls.key_file", &SetAdminTls<&TlsFiles::key_file>},
    {"server.admin.tls.client_ca_file",
     &SetAdminTls<&TlsFiles::client_ca_file>},
    {"server.metrics.listen", &SetListen<&ServerConfig::metrics>},
    {"server.metrics.tls.cert_file",
     &SetTls<&ServerConfig::metrics, &TlsFiles::cert_file>},
    {"server.metrics.tls.key_file",
     &SetTls<&ServerConfig::metrics, &TlsFiles::key_file>},
    {"server.metrics.tls.client_ca_file",
     &SetTls<&ServerConfig::metrics, &TlsFiles::client_ca_file>},
    {"server.workers", &SetWorkers},
    {"server.max_body", &SetMaxBody},
    {"server.max_in_flight", &SetLimit<&ServerConfig::max_in_flight>},
    {"server.max_connections", &SetLimit<&ServerConfig::max_connections>},
    {"server.max_body_memory", &SetMaxBodyMemory},
    {"server.drain", &SetDrain},
    {"server.stream_grace", &SetStreamGrace},
    {"auth.mode", &SetAuthMode},
    {"auth.admin_key", &SetAdminKey},
    {"store.sqlite", &SetSqlite},
    {"store.ledger", &SetLedger},
    {"store.postgres", &SetPostgres},
    {"embeddings.cache.max_bytes", &SetCacheBytes},
    {"embeddings.cache.ttl", &SetCacheTtl},
};

std::string EnvName(std::string_view path) {
  std::string name = Cat("LLM_SERVICE_", path);
  for (char& c : name) {
    c = c == '.' ? '_' : absl::ascii_toupper(static_cast<unsigned char>(c));
  }
  return name;
}

void Apply(const ScalarSetting& setting, const std::string& text, Place place,
           LoadContext* context, ConfigDraft* draft) {
  const absl::Status status = setting.set(text, context, draft);
  if (!status.ok()) {
    context->faults->Add(place.line, place.path, Words(status));
  }
  draft->places[std::string(setting.path)] = std::move(place);
}

void ReadCors(const YamlCursor& cursor, ConfigDraft* draft) {
  for (const YamlCursor& item : cursor.Items()) {
    if (const auto origin = item.Checked(CheckOriginSetting)) {
      draft->config.server.cors.push_back(*origin);
    }
  }
}

// Names of the next level below `prefix`.
std::vector<std::string> KnownBelow(std::string_view prefix) {
  std::vector<std::string> known;
  for (const ScalarSetting& setting : kSettings) {
    if (!setting.path.starts_with(prefix)) continue;
    const std::string_view rest = setting.path.substr(prefix.size());
    const std::string name(rest.substr(0, rest.find('.')));
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      known.push_back(name);
    }
  }
  if (prefix == "server.") known.emplace_back("cors");
  return known;
}

// Reads a mapping by the table; `prefix` ends in a dot.
void ReadLevel(const YamlCursor& level, const std::string& prefix,
               LoadContext* context, ConfigDraft* draft);

void ReadMember(const YamlCursor& member, const std::string& key,
                const std::string& prefix, LoadContext* context,
                ConfigDraft* draft) {
  const std::string path = prefix + key;
  if (path == "server.cors") return ReadCors(member, draft);
  for (const ScalarSetting& setting : kSettings) {
    if (setting.path == path) {
      // A TLS file left blank is one that is not used.
      if (member.is_null() && Contains(path, ".tls.")) return;
      const std::optional<std::string> text = member.Text();
      // What the environment sets is not asked of the file.
      if (text.has_value() && !context->Env(EnvName(path)).has_value()) {
        Apply(setting, *text, {member.line(), path}, context, draft);
      }
      return;
    }
  }
  const std::vector<std::string> known = KnownBelow(prefix);
  if (std::find(known.begin(), known.end(), key) != known.end()) {
    return ReadLevel(member, path + ".", context, draft);
  }
  member.Fault(Cat("unknown key", DidYouMean(key, known)));
}

void ReadLevel(const YamlCursor& level, const std::string& prefix,
               LoadContext* context, ConfigDraft* draft) {
  for (const auto& [key, member] : level.Members()) {
    ReadMember(member, key, prefix, context, draft);
  }
}

bool IsDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
}

// Kubernetes sets these for a Service that is called llm-service; docker
// links do likewise.
bool IsSetByKubernetes(std::string_view rest) {
  if (rest == "PORT" || rest == "SERVICE_HOST" ||
      rest.starts_with("SERVICE_PORT")) {
    return true;
  }
  if (!ConsumePrefix(&rest, "PORT_")) return false;
  return IsDigits(rest.substr(0, rest.find('_')));
}

// Variables of the program that are not settings of the file.
bool IsProgramVariable(std::string_view name) {
  return name == "LLM_SERVICE_ADMIN_KEY" || name == "LLM_SERVICE_KEY";
}

}  // namespace

void ReadServiceSection(const YamlCursor& section, LoadContext* context,
                        ConfigDraft* draft) {
  ReadLevel(section, section.path() + ".", context, draft);
}

void ReadEnvironment(LoadContext* context, ConfigDraft* draft) {
  std::vector<std::string> known;
  for (const ScalarSetting& setting : kSettings) {
    const std::string name = EnvName(setting.path);
    known.push_back(name);
    if (const std::optional<std::string> text = context->Env(name)) {
      Apply(setting, *text, {0, name}, context, draft);
    }
  }
  for (const std::string& name : context->sources->env_names) {
    std::string_view rest = name;
    if (!ConsumePrefix(&rest, "LLM_SERVICE_")) continue;
    if (IsProgramVariable(name) || IsSetByKubernetes(rest) ||
        context->referenced_env.contains(name) ||
        std::find(known.begin(), known.end(), name) != known.end()) {
      continue;
    }
    context->faults->Add(0, Shown(name),
                         Cat("no such setting", DidYouMean(name, known)));
  }
}

}  // namespace llm::server
