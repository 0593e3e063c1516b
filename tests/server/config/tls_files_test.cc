// What is found wrong with TLS files before a listener opens them.
#include "server/config/tls_files.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/server/config/config_support.h"
#include "tests/support/test_certificates.h"

namespace llm::server {
namespace {

std::string Yaml(const std::string& listener, const std::string& cert,
                 const std::string& key, const std::string& client_ca = "") {
  std::string yaml = absl::StrCat("server:\n  ", listener,
                                  ":\n    tls:\n      cert_file: ", cert,
                                  "\n      key_file: ", key, "\n");
  if (!client_ca.empty()) {
    absl::StrAppend(&yaml, "      client_ca_file: ", client_ca, "\n");
  }
  return yaml;
}

TEST_CASE("TLS files that fit are taken for every listener",
          "[config][tls][OPS-4]") {
  const TestCa ca;
  const CertificateFiles own = ca.Sign("server");
  const std::string listener =
      GENERATE(as<std::string>(), "http", "grpc", "admin", "metrics");
  CAPTURE(listener);
  const auto config = MustLoad(Yaml(listener, own.cert, own.key, ca.ca_file()));
  const ServerConfig& server = config->server;
  CHECK(server.http.tls.enabled() == (listener == "http"));
  CHECK(server.grpc.tls.enabled() == (listener == "grpc"));
  CHECK(server.admin_http.tls.enabled() == (listener == "admin"));
  CHECK(server.admin_grpc.tls.enabled() == (listener == "admin"));
  CHECK(server.metrics.tls.enabled() == (listener == "metrics"));
  for (const std::string& notice : config->notices) {
    CHECK(notice.find("tls") == std::string::npos);
  }
}

// The faults of a file whose TLS block is that of server.grpc.
std::vector<std::string> Faults(const CertificateFiles& files,
                                const std::string& client_ca = "") {
  return LoadText(Yaml("grpc", files.cert, files.key, client_ca)).faults;
}

TEST_CASE("TLS files that do not fit are faults that name key and file",
          "[config][tls][OPS-4]") {
  const TestCa ca;
  const CertificateFiles own = ca.Sign("server");
  const CertificateFiles other = ca.Sign("other");
  const std::string text = ca.File("text");
  std::ofstream(text) << "not PEM\n";
  const std::string gone = ca.File("gone");
  using Lines = std::vector<std::string>;
  CHECK(Faults({gone, own.key}) ==
        Lines{absl::StrCat("FILE:4: server.grpc.tls.cert_file: cannot read ",
                           gone, ": No such file or directory")});
  CHECK(Faults({text, own.key}) ==
        Lines{absl::StrCat("FILE:4: server.grpc.tls.cert_file: ", text,
                           " holds no certificate in PEM")});
  CHECK(Faults({own.cert, text}) ==
        Lines{absl::StrCat("FILE:5: server.grpc.tls.key_file: ", text,
                           " holds no private key in PEM, or one that asks "
                           "for a pass phrase")});
  CHECK(
      Faults({own.cert, other.key}) ==
      Lines{absl::StrCat("FILE:5: server.grpc.tls.key_file: ", other.key,
                         " is not the key of the certificate in ", own.cert)});
  CHECK(Faults(own, text) ==
        Lines{absl::StrCat("FILE:6: server.grpc.tls.client_ca_file: ", text,
                           " holds no certificate in PEM")});
  CHECK(Faults(own, ca.ca_file()).empty());
}

TEST_CASE("A key that asks for a pass phrase is a fault, not a question",
          "[config][tls]") {
  const TestCa ca;
  CertificateFiles own = ca.Sign("server");
  const std::string locked = ca.File("locked.key");
  REQUIRE(std::system(("openssl ec -aes256 -passout pass:secret -in " +
                       own.key + " -out " + locked + " 2>/dev/null")
                          .c_str()) == 0);
  own.key = locked;
  const std::vector<std::string> faults = Faults(own);
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].find("pass phrase") != std::string::npos);
}

TEST_CASE("Certificates out of date are told of, not refused",
          "[config][tls][OPS-4]") {
  const TestCa ca;
  const CertificateFiles own = ca.Sign("server");
  const TlsFiles files{own.cert, own.key, ca.ca_file()};
  const TlsReport now = CheckTlsFiles(files, absl::Now());
  CHECK(now.faults.empty());
  CHECK(now.notices.empty());
  const TlsReport late = CheckTlsFiles(files, absl::Now() + absl::Hours(100));
  CHECK(late.faults.empty());
  REQUIRE(late.notices.size() == 2);
  CHECK(late.notices[0].setting == "cert_file");
  CHECK(late.notices[0].what.find(own.cert + " expired on 20") !=
        std::string::npos);
  CHECK(late.notices[1].setting == "client_ca_file");
  const TlsReport early = CheckTlsFiles(files, absl::Now() - absl::Hours(100));
  REQUIRE(early.notices.size() == 2);
  CHECK(early.notices[0].what.find("is not valid before 20") !=
        std::string::npos);
}

TEST_CASE("The notice of an expired certificate reaches the configuration",
          "[config][tls][OPS-4]") {
  const TestCa ca;
  const CertificateFiles old = ca.Sign("server", -1);
  const auto config = MustLoad(Yaml("metrics", old.cert, old.key));
  bool told = false;
  for (const std::string& notice : config->notices) {
    told = told || notice.starts_with(absl::StrCat(
                       "server.metrics.tls.cert_file: the certificate in ",
                       old.cert, " expired on "));
  }
  CHECK(told);
}

}  // namespace
}  // namespace llm::server
