#include "adapters/http/curl_request.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/core/text.h"

namespace llm {
namespace {

// Applies options and keeps the first error, so that it is checked once.
class OptionSetter {
 public:
  explicit OptionSetter(CURL* easy) : easy_(easy) {}

  template <typename T>
  void Set(CURLoption option, T value) {
    const CURLcode code = curl_easy_setopt(easy_, option, value);
    if (code_ == CURLE_OK) code_ = code;
  }
  CURLcode code() const { return code_; }

 private:
  CURL* easy_;
  CURLcode code_ = CURLE_OK;
};

bool IsHeaderSafe(const HttpHeader& header) {
  constexpr std::string_view kBreaks("\r\n\0", 3);
  return !header.name.empty() &&
         header.name.find_first_of(kBreaks) == std::string::npos &&
         header.name.find(':') == std::string::npos &&
         header.value.find_first_of(kBreaks) == std::string::npos;
}

// Curl's own rule: "Name:" removes a header, "Name;" sends it empty.
std::string HeaderLine(const HttpHeader& header) {
  if (header.value.empty()) return absl::StrCat(header.name, ";");
  return absl::StrCat(header.name, ": ", header.value);
}

bool Append(CurlList& list, const char* line) {
  curl_slist* longer = curl_slist_append(list.get(), line);
  if (longer == nullptr) return false;
  list.release();  // NOLINT(bugprone-unused-return-value): in `longer` now
  list.reset(longer);
  return true;
}

void SetFixed(OptionSetter& options) {
  options.Set(CURLOPT_NOSIGNAL, 1L);
  options.Set(CURLOPT_PROTOCOLS_STR, "http,https");
  options.Set(CURLOPT_FOLLOWLOCATION, 0L);
  options.Set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  options.Set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  options.Set(CURLOPT_HTTP09_ALLOWED, 0L);
  // Model names stand in some paths: curl must not tidy them.
  options.Set(CURLOPT_PATH_AS_IS, 1L);
  options.Set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  options.Set(CURLOPT_SSL_VERIFYPEER, 1L);
  options.Set(CURLOPT_SSL_VERIFYHOST, 2L);
  options.Set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  options.Set(CURLOPT_TCP_NODELAY, 1L);
  options.Set(CURLOPT_TCP_KEEPALIVE, 1L);
  // Below the 5 minutes after which many NATs forget a silent connection.
  options.Set(CURLOPT_TCP_KEEPIDLE, 60L);
  options.Set(CURLOPT_TCP_KEEPINTVL, 30L);
  // Without it, cancelling while resolving joins the resolver's thread: the
  // whole loop would stand for as long as a name server is silent.
  options.Set(CURLOPT_QUICK_EXIT, 1L);
  options.Set(CURLOPT_USERAGENT, "llm-service");
}

void SetMethod(OptionSetter& options, const HttpRequest& request) {
  if (request.method == "GET" && request.body.empty()) {
    options.Set(CURLOPT_HTTPGET, 1L);
    return;
  }
  if (request.method == "HEAD") {
    options.Set(CURLOPT_NOBODY, 1L);
    return;
  }
  options.Set(CURLOPT_POST, 1L);
  options.Set(CURLOPT_POSTFIELDSIZE_LARGE,
              static_cast<curl_off_t>(request.body.size()));
  options.Set(CURLOPT_POSTFIELDS, request.body.data());
  if (request.method != "POST") {
    options.Set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

void SetTrust(OptionSetter& options, CURL* easy,
              const EndpointOptions& endpoint) {
  const char* system_file = nullptr;
  curl_easy_getinfo(easy, CURLINFO_CAINFO, &system_file);
  const char* file =
      endpoint.ca_file.empty() ? system_file : endpoint.ca_file.c_str();
  if (file == nullptr) return;  // built for a directory only
  options.Set(CURLOPT_CAINFO, file);
  // Given a CA, nobody else is trusted. And without a directory libcurl
  // parses the bundle once per loop instead of once per connection.
  options.Set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
}

void SetEndpoint(OptionSetter& options, const EndpointOptions& endpoint) {
  // Set, even if empty: else curl reads the environment's proxies.
  options.Set(CURLOPT_PROXY, endpoint.proxy.c_str());
  options.Set(CURLOPT_NOPROXY, "");
  if (!endpoint.cert_file.empty()) {
    options.Set(CURLOPT_SSLCERT, endpoint.cert_file.c_str());
    options.Set(CURLOPT_SSLKEY, endpoint.key_file.c_str());
  }
  options.Set(CURLOPT_HTTP_VERSION,
              static_cast<long>(endpoint.http2 ? CURL_HTTP_VERSION_2TLS
                                               : CURL_HTTP_VERSION_1_1));
}

// Our own connect deadline is exact; curl's lets it share the time out among
// the addresses of a name. 0 would be curl's default of five minutes.
long ConnectMilliseconds(absl::Duration connect) {
  constexpr double kDay = 24 * 3600 * 1000.0;
  const double ms = std::ceil(absl::ToDoubleMilliseconds(connect));
  return static_cast<long>(std::clamp(ms, 1.0, kDay));
}

}  // namespace

absl::StatusOr<CurlList> MakeHeaderList(const HttpRequest& request) {
  CurlList list;
  for (const HttpHeader& header : request.headers) {
    if (!IsHeaderSafe(header)) {
      return absl::InternalError("a request header cannot be sent");
    }
    if (!Append(list, HeaderLine(header).c_str())) {
      return absl::InternalError("out of memory");
    }
  }
  // Waiting for "100 Continue" costs a round trip, or a second.
  bool ok = Append(list, "Expect:");
  if (FindHeader(request.headers, "accept-encoding") == nullptr) {
    ok = ok && Append(list, "Accept-Encoding: identity");
  }
  if (FindHeader(request.headers, "content-type") == nullptr) {
    ok = ok && Append(list, "Content-Type:");
  }
  if (!ok) return absl::InternalError("out of memory");
  return list;
}

absl::Status SetRequestOptions(CURL* easy, const HttpRequest& request,
                               const curl_slist* headers) {
  OptionSetter options(easy);
  SetFixed(options);
  SetMethod(options, request);
  SetTrust(options, easy, request.endpoint);
  SetEndpoint(options, request.endpoint);
  options.Set(CURLOPT_URL, request.url.c_str());
  options.Set(CURLOPT_HTTPHEADER, headers);
  // What is for the provider is not for its proxy.
  options.Set(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
  // One TLS record; larger ones only cost memory. Of a stream, a buffer this
  // size would be a quarter of all that it holds.
  options.Set(CURLOPT_BUFFERSIZE, request.trickles ? 1024L : 16384L);
  options.Set(CURLOPT_FRESH_CONNECT, request.fresh_connection ? 1L : 0L);
  options.Set(CURLOPT_CONNECTTIMEOUT_MS,
              ConnectMilliseconds(request.deadlines.connect));
  if (options.code() == CURLE_OK) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("curl option refused: ",
                                          curl_easy_strerror(options.code())));
}

absl::Status StatusOfCurl(CURLcode code, bool connected,
                          std::string_view detail) {
  const char* words = curl_easy_strerror(code);
  switch (code) {
    case CURLE_OK:
      return absl::OkStatus();
    case CURLE_OPERATION_TIMEDOUT:
      // The only time limit that curl itself is given.
      if (!connected) return absl::DeadlineExceededError("connect");
      return absl::UnavailableError(words);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CONNECT_ERROR:
      // Names hosts, ports and certificates: the operator needs them.
      return absl::UnavailableError(
          absl::StrCat(words, detail.empty() ? "" : ": ", ToAbsl(detail)));
    case CURLE_RECV_ERROR:
      // Curl has no code of its own for a malformed chunk.
      if (absl::StrContains(ToAbsl(detail), "chunked-encoding")) {
        return absl::InternalError("malformed chunked encoding");
      }
      // Under TLS 1.3 a server that misses our certificate says so only when
      // we read.
      if (absl::StrContains(ToAbsl(detail), "alert")) {
        return absl::UnavailableError(ToAbsl(detail));
      }
      return absl::UnavailableError(words);
    case CURLE_UNSUPPORTED_PROTOCOL:
      // Also the verdict on an answer without a status line.
      return absl::InternalError(connected ? "the answer is not HTTP" : words);
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_WRITE_ERROR:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_URL_MALFORMAT:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_LOGIN_DENIED:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return absl::InternalError(words);
    default:
      return absl::UnavailableError(words);
  }
}

}  // namespace llm
