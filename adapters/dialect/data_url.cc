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

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// A '%' that escapes nothing stands for itself.
std::string PercentDecode(sv text) {
  if (text.find('%') == sv::npos) return std::string(text);
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() &&
                        HexDigit(text[i + 1]) >= 0 &&
                        HexDigit(text[i + 2]) >= 0;
    if (!escape) {
      out += text[i];
      continue;
    }
    const int byte = HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]);
    out += static_cast<char>(byte);
    i += 2;
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
