// Looks into the TLS files of a listener, so that what OpenSSL or gRPC would
// refuse without naming it is a fault of the configuration instead.
//
// Threads: Pure but for reading the files; any.
#ifndef LLM_SERVER_CONFIG_TLS_FILES_H_
#define LLM_SERVER_CONFIG_TLS_FILES_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "server/config/config.h"

namespace llm::server {

// Completes "server.http.tls.key_file: …".
struct TlsFinding {
  std::string_view setting;  // "cert_file", "key_file" or "client_ca_file"
  std::string what;          // names the file
};

struct TlsReport {
  std::vector<TlsFinding> faults;
  // Certificates out of date: the listener works, and clients refuse it.
  std::vector<TlsFinding> notices;
};

// A file that cannot be read is passed over: reading its setting has said so.
TlsReport CheckTlsFiles(const TlsFiles& files, absl::Time now);

}  // namespace llm::server

#endif  // LLM_SERVER_CONFIG_TLS_FILES_H_
