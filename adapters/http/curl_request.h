// A request as curl options, and curl's verdict as a status.
//
// Threads:   Pure, apart from the easy handle.
// Ownership: The easy handle borrows the request's body and the header list:
//            both outlive the transfer.
// Errors:    kInternal for a request that cannot be sent as it is. Messages
//            never hold URLs, headers or bodies.
#ifndef LLM_ADAPTERS_HTTP_CURL_REQUEST_H_
#define LLM_ADAPTERS_HTTP_CURL_REQUEST_H_

#include <curl/curl.h>

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "adapters/core/http_transport.h"

namespace llm {

struct CurlListCleanup {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlList = std::unique_ptr<curl_slist, CurlListCleanup>;

// The request's headers in curl's form, plus those that silence curl's own.
absl::StatusOr<CurlList> MakeHeaderList(const HttpRequest& request);

// Everything but the callbacks, on a handle without earlier options.
absl::Status SetRequestOptions(CURL* easy, const HttpRequest& request,
                               const curl_slist* headers);

// `connected`: the handshakes were over. `detail` is curl's error buffer.
absl::Status StatusOfCurl(CURLcode code, bool connected,
                          std::string_view detail);

}  // namespace llm

#endif  // LLM_ADAPTERS_HTTP_CURL_REQUEST_H_
