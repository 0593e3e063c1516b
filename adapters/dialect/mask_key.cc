#include "adapters/dialect/mask_key.h"

#include <algorithm>

#include "absl/strings/str_replace.h"

namespace llm {
namespace {

constexpr char kMask[] = "***";
// A shorter start of a key may be a word, and gives nothing away.
constexpr size_t kShortest = 8;

}  // namespace

void MaskKey(const ApiKey& key, std::string* text) {
  if (key.empty()) return;
  const std::string& secret = key.Reveal();
  absl::StrReplaceAll({{secret, kMask}}, text);
  // Raw JSON may hold it with its slashes escaped.
  if (secret.find('/') != std::string::npos) {
    const std::string escaped = absl::StrReplaceAll(secret, {{"/", "\\/"}});
    absl::StrReplaceAll({{escaped, kMask}}, text);
  }
}

void MaskCutKey(const ApiKey& key, std::string* text) {
  MaskKey(key, text);
  const std::string& secret = key.Reveal();
  for (size_t kept = std::min(secret.size(), text->size()); kept >= kShortest;
       --kept) {
    if (text->compare(text->size() - kept, kept, secret, 0, kept) != 0) {
      continue;
    }
    text->resize(text->size() - kept);
    text->append(kMask);
    return;
  }
}

}  // namespace llm
