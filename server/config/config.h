// The configuration as plain structs: parsed once, checked once, immutable.
//
// Precedence: flags, environment (LLM_SERVICE_ and the path in capitals), file,
// defaults. Secrets appear here resolved (from env: or file: references) and
// only in ApiKey fields.
#ifndef LLM_SERVER_CONFIG_CONFIG_H_
#define LLM_SERVER_CONFIG_CONFIG_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "adapters/core/ids.h"
#include "router/route_table.h"
#include "server/ledger/usage_store.h"

namespace llm::server {

struct TlsFiles {
  std::string cert_file;
  std::string key_file;
  std::string client_ca_file;  // set: clients must show a certificate
  bool enabled() const { return !cert_file.empty(); }
};

struct ListenerConfig {
  std::string address;  // "127.0.0.1:8004"; port 0 picks a free one
  TlsFiles tls;
};

struct ServerConfig {
  ListenerConfig http{"127.0.0.1:8004", {}};
  ListenerConfig grpc{"127.0.0.1:9004", {}};
  ListenerConfig admin_http{"127.0.0.1:8005", {}};
  ListenerConfig admin_grpc{"127.0.0.1:9005", {}};
  ListenerConfig metrics{"127.0.0.1:9464", {}};
  int workers = 0;  // 0: one per core
  int64_t max_body = int64_t{32} << 20;
  // Beyond these a caller is told `overloaded` (503), so that load makes the
  // service refuse and not grow. Calls being answered, over both doors;
  int max_in_flight = 10'000;
  // connections of the public HTTP listener;
  int max_connections = 20'000;
  // bytes of request bodies in hand. 0: a quarter of the memory the process
  // may use. A body costs about three times its size while it is in hand.
  int64_t max_body_memory = 0;
  absl::Duration drain = absl::Seconds(30);
  std::vector<std::string> cors;
  // SSE comment after this long without content, and again after each such
  // silence.
  absl::Duration stream_grace = absl::Seconds(15);
};

enum class AuthMode { kKeys, kNone };

struct AuthConfig {
  AuthMode mode = AuthMode::kKeys;
  ApiKey admin_key;
};

struct StoreConfig {
  std::string sqlite = "llm-service.db";
  // False: no call leaves a row, for measuring what the ledger costs.
  bool ledger = true;
};

struct UsageConfig {
  std::string report_currency = "USD";
  std::vector<ExchangeRate> rates;
};

struct EmbeddingsConfig {
  // Of vectors that are remembered per tenant; 0: none are.
  int64_t cache_bytes = 0;
  absl::Duration cache_ttl = absl::Hours(24);
};

struct Config {
  ServerConfig server;
  AuthConfig auth;
  StoreConfig store;
  UsageConfig usage;
  EmbeddingsConfig embeddings;
  std::shared_ptr<const RouteTable> table;
  // Lines for the log at start: "no API key is set: the simulated provider
  // answers", dialects this build lacks.
  std::vector<std::string> notices;
};

}  // namespace llm::server

#endif  // LLM_SERVER_CONFIG_CONFIG_H_
