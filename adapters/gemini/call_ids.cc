#include "adapters/gemini/call_ids.h"

#include <cstdint>

namespace llm::gemini {
namespace {

constexpr std::string_view kStart = "call_g";
constexpr std::string_view kHex = "0123456789abcdef";
constexpr size_t kDigits = 24;

uint64_t Fnv1a(std::string_view text, uint64_t hash) {
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  }
  return hash;
}

}  // namespace

std::string MakeCallId(std::string_view seed, size_t at) {
  uint64_t a = Fnv1a(std::to_string(at), Fnv1a(seed, 0xCBF29CE484222325));
  uint64_t b = Fnv1a("b", a);
  std::string id(kStart);
  for (size_t i = 0; i < kDigits; ++i) {
    uint64_t& from = i < kDigits / 2 ? a : b;
    id += kHex[from & 0xF];
    from >>= 4;
  }
  return id;
}

bool IsMadeCallId(std::string_view id) {
  if (!id.starts_with(kStart)) return false;
  id.remove_prefix(kStart.size());
  return id.size() == kDigits &&
         id.find_first_not_of(kHex) == std::string_view::npos;
}

}  // namespace llm::gemini
