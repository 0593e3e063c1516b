#include "adapters/dialect/data_url.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "adapters/core/text.h"

namespace llm {
namespace {

using sv = std::string_view;

constexpr sv kScheme = "data:";

// A '%' that escapes nothing stands for itself.
std::string PercentDecode(sv text) {
  if (text.find('%') == sv::npos) return std::string(text);
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const int byte = EscapedByte(text, i);
    out += byte < 0 ? text[i] : static_cast<char>(byte);
    if (byte >= 0) i += 2;
  }
  return out;
}

}  // namespace

bool IsDataUrl(std::string_view url) {
  return absl::StartsWithIgnoreCase(ToAbsl(url), ToAbsl(kScheme));
}

absl::StatusOr<DataUrl> ReadDataUrl(std::string_view url) {
  const size_t comma = url.find(',');
  if (!IsDataUrl(url) || comma == sv::npos) {
    return absl::InvalidArgumentError("not a data: URL");
  }
  const sv head = url.substr(kScheme.size(), comma - kScheme.size());
  DataUrl out;
  out.type = absl::AsciiStrToLower(ToAbsl(head.substr(0, head.find(';'))));
  std::string content = PercentDecode(url.substr(comma + 1));
  if (content.empty()) {
    return absl::InvalidArgumentError("the data: URL holds no content");
  }
  const bool base64 = absl::EndsWithIgnoreCase(ToAbsl(head), ";base64");
  out.base64 = base64 ? std::move(content) : absl::Base64Escape(content);
  return out;
}

}  // namespace llm
