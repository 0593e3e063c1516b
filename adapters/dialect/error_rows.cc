#include "adapters/dialect/error_rows.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "adapters/core/text.h"
#include "adapters/dialect/mask_key.h"
#include "adapters/http/rate_limit_headers.h"

namespace llm {
namespace {

using enum FailureClass;
using sv = std::string_view;

// What is left goes by HTTP class.
FailureClass ByStatus(int status) {
  switch (status) {
    case 401:
      return kBadKey;
    case 402:
      return kOutOfMoney;
    case 403:
    case 412:
      return kPermission;
    case 400:
    case 409:
    case 413:
    case 422:
      return kInvalidRequest;
    case 404:
    case 410:
      return kModelNotFound;
    // The provider's own deadlines: worth another try, unlike ours.
    case 408:
    case 504:
      return kServerError;
    case 429:
      return kRateLimited;
    case 503:
      return kOverloaded;
    default:
      break;
  }
  if (status >= 500) return kServerError;
  // 405, 415, 421 and the like: the address is wrong, or what stands before
  // the provider answers. Another deployment may do better.
  return kBadAnswer;
}

// For an error inside a 200 without a status of its own: the words decide
// (openai.md section 7, "Mid-stream failure").
int ImpliedStatus(const std::string& words) {
  constexpr std::pair<sv, int> kHints[] = {{"insufficient_quota", 429},
                                           {"rate_limit", 429},
                                           {"authentication", 401},
                                           {"permission", 403},
                                           {"not_found", 404},
                                           {"context_length", 400},
                                           {"invalid", 400},
                                           {"bad_request", 400},
                                           {"badrequest", 400},
                                           {"overload", 503},
                                           {"timeout", 504}};
  for (const auto& [hint, status] : kHints) {
    if (words.find(hint) != std::string::npos) return status;
  }
  return 500;
}

bool WordFits(sv pattern, sv word) {
  if (pattern.empty()) return true;
  if (pattern.back() == '*') {
    pattern.remove_suffix(1);
    return word.starts_with(pattern);
  }
  return pattern == word;
}

// Parameters name fields; anything else is not one.
std::string SafeWord(std::string_view word) {
  std::string out;
  for (const char c : word.substr(0, 64)) {
    const bool safe = absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                      sv("_-.:/[] ").find(c) != sv::npos;
    if (safe) out += c;
  }
  return SanitiseUpstreamText(out, 64);
}

// A code is one word. What is a sentence may quote the prompt, and codes are
// recorded [SEC-10].
std::string SafeCode(std::string_view text) {
  const bool sentence = text.find_first_of(" \t\r\n") != sv::npos;
  return sentence ? std::string() : SafeWord(text);
}

}  // namespace

FailureClass ClassifyByRows(std::span<const ErrorRow> rows,
                            std::string_view vendor, int http_status,
                            const ErrorWords& words) {
  std::string code = absl::AsciiStrToLower(words.code);
  const std::string type = absl::AsciiStrToLower(words.type);
  if (type == "base_resp") code = "base_resp:" + code;
  const std::string text = absl::AsciiStrToLower(words.message);
  int status = http_status;
  if (status / 100 == 2) {
    status =
        words.status != 0 ? words.status : ImpliedStatus(code + " " + type);
  }
  // The code is the finer word of the two, so it is looked up first.
  for (const sv word : {sv(code), sv(type)}) {
    for (const ErrorRow& row : rows) {
      if (!row.vendor.empty() && row.vendor != vendor) continue;
      if (row.status != 0 && row.status != status) continue;
      if (row.word.empty() && word.data() != code.data()) continue;
      if (!WordFits(row.word, word)) continue;
      if (!row.text.empty() && text.find(row.text) == std::string::npos) {
        continue;
      }
      return row.failure;
    }
  }
  return ByStatus(status);
}

UpstreamFailure DescribeFailure(FailureClass failure, int http_status,
                                const ErrorWords& words) {
  UpstreamFailure out;
  out.failure = failure;
  out.http_status =
      http_status < 400 && words.status != 0 ? words.status : http_status;
  out.code = SafeCode(words.code);
  out.type = SafeCode(words.type);
  out.param = SafeWord(words.param);
  out.message = SanitiseUpstreamText(words.message, 512);
  out.provider_request_id = SafeCode(words.request_id);
  if (!words.retry_delay.empty()) {
    out.retry_after = ParseReset(words.retry_delay, absl::InfinitePast());
  }
  return out;
}

ErrorWords WithoutKey(ErrorWords words, const ApiKey& key) {
  for (std::string* text : {&words.code, &words.type, &words.param,
                            &words.message, &words.request_id}) {
    MaskKey(key, text);
  }
  return words;
}

}  // namespace llm
