#include "router/closest_names.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/core/text.h"

namespace llm {
namespace {

// Longer names come from attackers, not from typists; the table is quadratic.
constexpr size_t kLongestName = 128;

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row[b.size()];
}

}  // namespace

std::vector<std::string> ClosestNames(std::string_view wanted,
                                      std::vector<std::string> names) {
  if (wanted.empty() || wanted.size() > kLongestName) return {};
  const std::string lower = absl::AsciiStrToLower(ToAbsl(wanted));
  const size_t limit = std::max<size_t>(2, wanted.size() / 3);
  std::vector<std::pair<size_t, std::string>> near;
  for (std::string& name : names) {
    if (name.size() > kLongestName) continue;
    const size_t distance = EditDistance(lower, absl::AsciiStrToLower(name));
    if (distance <= limit) near.emplace_back(distance, std::move(name));
  }
  std::sort(near.begin(), near.end());
  near.erase(std::unique(near.begin(), near.end()), near.end());
  std::vector<std::string> out;
  for (size_t i = 0; i < near.size() && i < 3; ++i) {
    out.push_back(std::move(near[i].second));
  }
  return out;
}

std::string DidYouMean(const std::vector<std::string>& names) {
  if (names.empty()) return "";
  return absl::StrCat("; did you mean ", absl::StrJoin(names, ", "), "?");
}

}  // namespace llm
