#include "tests/support/test_certificates.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace llm {
namespace {

void Run(const std::string& command) {
  if (std::system((command + " 2>/dev/null").c_str()) != 0) {
    throw std::runtime_error("failed: " + command);
  }
}

std::string NewKey(const std::string& file) {
  return " -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout " + file;
}

}  // namespace

TestCa::TestCa() : ca_{dir_.File("ca.pem"), dir_.File("ca.key")} {
  Run("openssl req -x509 -days 2 -subj /CN=test-ca -out " + ca_.cert +
      NewKey(ca_.key));
}

CertificateFiles TestCa::Sign(const std::string& name, int days) const {
  const CertificateFiles made{dir_.File(name + ".pem"),
                              dir_.File(name + ".key")};
  const std::string request = dir_.File(name + ".csr");
  const std::string names = dir_.File(name + ".ext");
  std::ofstream(names) << "subjectAltName=IP:127.0.0.1,DNS:localhost\n";
  Run("openssl req -new -subj /CN=" + name + " -out " + request +
      NewKey(made.key));
  Run("openssl x509 -req -in " + request + " -CA " + ca_.cert + " -CAkey " +
      ca_.key + " -CAcreateserial -days " + std::to_string(days) +
      " -extfile " + names + " -out " + made.cert);
  return made;
}

std::string TextOfFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace llm
