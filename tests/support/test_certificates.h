// Certificates made for a test by the openssl tool: a CA, and what it signs.
#ifndef LLM_TESTS_SUPPORT_TEST_CERTIFICATES_H_
#define LLM_TESTS_SUPPORT_TEST_CERTIFICATES_H_

#include <string>

#include "tests/support/temp_dir.h"

namespace llm {

struct CertificateFiles {
  std::string cert;
  std::string key;
};

class TestCa {
 public:
  // Throws where openssl does not do what it is told.
  TestCa();

  const std::string& ca_file() const { return ca_.cert; }
  // A certificate for 127.0.0.1 and localhost, for servers and clients alike;
  // negative `days`: expired.
  CertificateFiles Sign(const std::string& name, int days = 2) const;
  // For files of the test's own.
  std::string File(const std::string& name) const { return dir_.File(name); }

 private:
  TempDir dir_;
  CertificateFiles ca_;
};

std::string TextOfFile(const std::string& path);

}  // namespace llm

#endif  // LLM_TESTS_SUPPORT_TEST_CERTIFICATES_H_
