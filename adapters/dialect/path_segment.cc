#include "adapters/dialect/path_segment.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"

namespace llm {

std::string EscapeSegment(std::string_view text, std::string_view plain) {
  constexpr std::string_view kUnreserved = "-_.~";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) ||
        kUnreserved.find(c) != std::string_view::npos ||
        plain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      absl::StrAppendFormat(&out, "%%%02X", byte);
    }
  }
  return out;
}

}  // namespace llm
