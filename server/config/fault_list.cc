#include "server/config/fault_list.h"

#include <algorithm>
#include <climits>

#include "server/config/text.h"

namespace llm::server {
namespace {

// More than this helps nobody, and bounds what a hostile file can print.
constexpr size_t kMaxFaults = 200;
// Longer names are never near a known one; keeps the distance cheap.
constexpr size_t kMaxComparedName = 64;

int EditDistance(std::string_view a, std::string_view b) {
  std::vector<int> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row[b.size()];
}

}  // namespace

void FaultList::Add(int line, std::string_view path, std::string_view what) {
  if (faults_.size() > kMaxFaults) return;
  if (faults_.size() == kMaxFaults) {
    faults_.push_back({INT_MAX - 1, Cat(file_, ":", line, ": ", path,
                                        ": too many faults; the rest "
                                        "is not shown")});
    return;
  }
  if (line > 0 && !file_.empty()) {
    faults_.push_back({line, Cat(file_, ":", line, ": ", path, ": ", what)});
    return;
  }
  faults_.push_back({INT_MAX, Cat("environment: ", path, ": ", what)});
}

std::vector<std::string> FaultList::Lines() const {
  std::vector<Fault> sorted = faults_;
  std::stable_sort(
      sorted.begin(), sorted.end(),
      [](const Fault& a, const Fault& b) { return a.line < b.line; });
  std::vector<std::string> lines;
  lines.reserve(sorted.size());
  for (Fault& fault : sorted) lines.push_back(std::move(fault.text));
  return lines;
}

std::string ClosestName(std::string_view name,
                        const std::vector<std::string>& known) {
  if (name.size() > kMaxComparedName) return "";
  std::string best;
  int best_distance = static_cast<int>(name.size()) / 3 + 2;
  for (const std::string& candidate : known) {
    if (candidate.size() > kMaxComparedName) continue;
    const int distance = EditDistance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string DidYouMean(std::string_view name,
                       const std::vector<std::string>& known) {
  const std::string closest = ClosestName(name, known);
  return closest.empty() ? "" : Cat(" (did you mean ", closest, "?)");
}

std::string Shown(std::string_view name) {
  constexpr size_t kLimit = 80;
  std::string shown;
  for (const char c : name.substr(0, kLimit)) {
    shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  if (name.size() > kLimit) shown += "...";
  return shown;
}

}  // namespace llm::server
