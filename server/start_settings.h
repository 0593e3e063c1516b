// What a reload cannot change, as it was at the start.
//
// Threads: Immutable; any.
#ifndef LLM_SERVER_START_SETTINGS_H_
#define LLM_SERVER_START_SETTINGS_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "server/auth/key_secret.h"
#include "server/config/config.h"

namespace llm::server {

class StartSettings {
 public:
  // Reads the TLS files that `config` names, and keeps their digests.
  explicit StartSettings(const Config& config);

  // The settings of `config` that a restart only would put in force:
  // "server.drain", "server.http TLS files".
  std::vector<std::string> NeedRestart(const Config& config) const;

 private:
  bool SameFiles(const TlsFiles& files) const;

  ServerConfig server_;
  AuthMode auth_mode_;
  StoreConfig store_;
  EmbeddingsConfig embeddings_;
  absl::flat_hash_map<std::string, KeyDigest> tls_files_;  // by path
};

}  // namespace llm::server

#endif  // LLM_SERVER_START_SETTINGS_H_
