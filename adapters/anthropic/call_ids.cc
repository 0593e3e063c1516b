#include "adapters/anthropic/call_ids.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "adapters/core/text.h"

namespace llm::anthropic {
namespace {

constexpr std::string_view kMark = "llmid-";
constexpr std::string_view kAgain = "_n";

bool Plain(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-';
}

bool Fits(std::string_view id) {
  return !id.empty() && !id.starts_with(kMark) &&
         std::all_of(id.begin(), id.end(),
                     [](char c) { return Plain(c) || c == '_'; });
}

std::string Spell(std::string_view id) {
  std::string out(kMark);
  for (const char c : id) {
    if (Plain(c)) {
      out += c;
    } else {
      absl::StrAppendFormat(&out, "_%02x", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace

std::string CallIds::ForCall(std::string_view id) {
  auto [entry, first] = used_.try_emplace(std::string(id), 0);
  if (first) return Fits(id) ? std::string(id) : Spell(id);
  return absl::StrCat(Spell(id), ToAbsl(kAgain), ++entry->second);
}

std::string DecodeCallId(std::string_view id) {
  if (!id.starts_with(kMark)) return std::string(id);
  id.remove_prefix(kMark.size());
  std::string out;
  for (size_t i = 0; i < id.size(); ++i) {
    if (id[i] != '_') {
      out += id[i];
      continue;
    }
    if (id.substr(i).starts_with(kAgain)) break;
    int byte = 0;
    if (!absl::SimpleHexAtoi(ToAbsl(id.substr(i + 1, 2)), &byte)) break;
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

}  // namespace llm::anthropic
