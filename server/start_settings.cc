#include "server/start_settings.h"

#include <array>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"

namespace llm::server {
namespace {

struct Listener {
  const char* name;
  ListenerConfig ServerConfig::*config;
};

constexpr std::array<Listener, 5> kListeners = {{
    {"server.http", &ServerConfig::http},
    {"server.grpc", &ServerConfig::grpc},
    {"server.admin.http", &ServerConfig::admin_http},
    {"server.admin.grpc", &ServerConfig::admin_grpc},
    {"server.metrics", &ServerConfig::metrics},
}};

std::array<std::string, 3> Paths(const TlsFiles& files) {
  return {files.cert_file, files.key_file, files.client_ca_file};
}

// Of nothing where the file cannot be read: that is a change too.
KeyDigest DigestOfFile(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return DigestOf(bytes.str());
}

bool SameListener(const ListenerConfig& a, const ListenerConfig& b) {
  return a.address == b.address && Paths(a.tls) == Paths(b.tls);
}

}  // namespace

StartSettings::StartSettings(const Config& config)
    : server_(config.server),
      auth_mode_(config.auth.mode),
      store_(config.store),
      embeddings_(config.embeddings) {
  for (const Listener& listener : kListeners) {
    for (const std::string& path : Paths((server_.*listener.config).tls)) {
      if (!path.empty()) tls_files_.emplace(path, DigestOfFile(path));
    }
  }
}

bool StartSettings::SameFiles(const TlsFiles& files) const {
  for (const std::string& path : Paths(files)) {
    const auto known = tls_files_.find(path);
    if (known != tls_files_.end() && known->second != DigestOfFile(path)) {
      return false;
    }
  }
  return true;
}

std::vector<std::string> StartSettings::NeedRestart(
    const Config& config) const {
  std::vector<std::string> names;
  const auto note = [&names](bool same, std::string name) {
    if (!same) names.push_back(std::move(name));
  };
  const ServerConfig& now = config.server;
  for (const Listener& listener : kListeners) {
    const ListenerConfig& was = server_.*listener.config;
    note(SameListener(was, now.*listener.config), listener.name);
    note(SameFiles(was.tls), absl::StrCat(listener.name, " TLS files"));
  }
  note(server_.workers == now.workers, "server.workers");
  note(server_.max_body == now.max_body, "server.max_body");
  note(server_.max_in_flight == now.max_in_flight, "server.max_in_flight");
  note(server_.max_connections == now.max_connections,
       "server.max_connections");
  note(server_.max_body_memory == now.max_body_memory,
       "server.max_body_memory");
  note(server_.drain == now.drain, "server.drain");
  note(server_.stream_grace == now.stream_grace, "server.stream_grace");
  note(server_.cors == now.cors, "server.cors");
  note(auth_mode_ == config.auth.mode, "auth.mode");
  note(embeddings_.cache_bytes == config.embeddings.cache_bytes &&
           embeddings_.cache_ttl == config.embeddings.cache_ttl,
       "embeddings.cache");
  note(store_.sqlite == config.store.sqlite, "store.sqlite");
  note(store_.ledger == config.store.ledger, "store.ledger");
  return names;
}

}  // namespace llm::server
