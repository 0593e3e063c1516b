#include "server/config/tls_files.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>
#include <optional>
#include <utility>

#include "server/config/fault_list.h"
#include "server/config/secret_reference.h"
#include "server/config/text.h"

namespace llm::server {
namespace {

constexpr size_t kMaxPemBytes = size_t{1} << 20;

template <auto kFree>
struct FreeBy {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, FreeBy<BIO_free>>;
using Certificate = std::unique_ptr<X509, FreeBy<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, FreeBy<EVP_PKEY_free>>;

// Nobody sits at a server's terminal to be asked for a pass phrase.
int NoPassPhrase(char*, int, int, void*) { return -1; }

Bio Open(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

Certificate FirstCertificate(const std::string& pem) {
  const Bio bio = Open(pem);
  return Certificate(
      PEM_read_bio_X509(bio.get(), nullptr, NoPassPhrase, nullptr));
}

PrivateKey ReadKey(const std::string& pem) {
  const Bio bio = Open(pem);
  return PrivateKey(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassPhrase, nullptr));
}

absl::Time TimeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return absl::InfiniteFuture();
  return absl::FromTM(parts, absl::UTCTimeZone());
}

std::string Day(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d", time, absl::UTCTimeZone());
}

class Checker {
 public:
  explicit Checker(absl::Time now) : now_(now) {}

  Certificate ReadCertificate(std::string_view setting,
                              const std::string& path) {
    const std::optional<std::string> pem = Read(path);
    if (!pem) return nullptr;
    Certificate first = FirstCertificate(*pem);
    if (first == nullptr) {
      Fault(setting, Cat(Shown(path), " holds no certificate in PEM"));
      return nullptr;
    }
    const absl::Time until = TimeOf(X509_get0_notAfter(first.get()));
    const absl::Time from = TimeOf(X509_get0_notBefore(first.get()));
    if (until < now_) {
      Notice(setting, Cat("the certificate in ", Shown(path), " expired on ",
                          Day(until)));
    } else if (now_ < from && from != absl::InfiniteFuture()) {
      Notice(setting, Cat("the certificate in ", Shown(path),
                          " is not valid before ", Day(from)));
    }
    return first;
  }

  void CheckKey(const TlsFiles& files, const Certificate& certificate) {
    const std::optional<std::string> pem = Read(files.key_file);
    if (!pem) return;
    const PrivateKey key = ReadKey(*pem);
    if (key == nullptr) {
      Fault("key_file", Cat(Shown(files.key_file),
                            " holds no private key in PEM, or one that asks "
                            "for a pass phrase"));
    } else if (certificate != nullptr &&
               X509_check_private_key(certificate.get(), key.get()) != 1) {
      Fault("key_file",
            Cat(Shown(files.key_file), " is not the key of the certificate in ",
                Shown(files.cert_file)));
    }
  }

  TlsReport Take() {
    // What OpenSSL noted here would else be found by the next who asks.
    ERR_clear_error();
    return std::move(report_);
  }

 private:
  static std::optional<std::string> Read(const std::string& path) {
    if (path.empty()) return std::nullopt;
    absl::StatusOr<std::string> text = ReadSmallFile(path, kMaxPemBytes);
    if (!text.ok()) return std::nullopt;
    return *std::move(text);
  }
  void Fault(std::string_view setting, std::string what) {
    report_.faults.push_back({setting, std::move(what)});
  }
  void Notice(std::string_view setting, std::string what) {
    report_.notices.push_back({setting, std::move(what)});
  }

  const absl::Time now_;
  TlsReport report_;
};

}  // namespace

TlsReport CheckTlsFiles(const TlsFiles& files, absl::Time now) {
  Checker checker(now);
  const Certificate own = checker.ReadCertificate("cert_file", files.cert_file);
  checker.CheckKey(files, own);
  checker.ReadCertificate("client_ca_file", files.client_ca_file);
  return checker.Take();
}

}  // namespace llm::server
