#include "adapters/core/failure.h"

#include <array>
#include <cstddef>

#include "adapters/core/utf8.h"

namespace llm {
namespace {

struct ClassRow {
  FailureClass failure;
  std::string_view name;
  absl::StatusCode code;
};

// In the order of the enumeration: a class is its own index.
constexpr std::array<ClassRow, 20> kClasses = {{
    {FailureClass::kNone, "none", absl::StatusCode::kOk},
    {FailureClass::kInvalidRequest, "invalid_request",
     absl::StatusCode::kInvalidArgument},
    {FailureClass::kUnsupported, "unsupported",
     absl::StatusCode::kInvalidArgument},
    {FailureClass::kContextLength, "context_length",
     absl::StatusCode::kInvalidArgument},
    {FailureClass::kContentFilter, "content_filter",
     absl::StatusCode::kInvalidArgument},
    {FailureClass::kBadKey, "bad_key", absl::StatusCode::kUnauthenticated},
    {FailureClass::kPermission, "permission",
     absl::StatusCode::kUnauthenticated},
    {FailureClass::kOutOfMoney, "out_of_money",
     absl::StatusCode::kUnauthenticated},
    {FailureClass::kModelNotFound, "model_not_found",
     absl::StatusCode::kNotFound},
    {FailureClass::kRateLimited, "rate_limited",
     absl::StatusCode::kResourceExhausted},
    {FailureClass::kOverloaded, "overloaded", absl::StatusCode::kUnavailable},
    {FailureClass::kServerError, "server_error",
     absl::StatusCode::kUnavailable},
    {FailureClass::kTimeout, "timeout", absl::StatusCode::kDeadlineExceeded},
    {FailureClass::kConnect, "connect", absl::StatusCode::kUnavailable},
    {FailureClass::kTransport, "transport", absl::StatusCode::kUnavailable},
    {FailureClass::kBadAnswer, "bad_answer", absl::StatusCode::kInternal},
    {FailureClass::kIncomplete, "incomplete", absl::StatusCode::kUnavailable},
    {FailureClass::kEmptyAnswer, "empty_answer",
     absl::StatusCode::kUnavailable},
    {FailureClass::kCancelled, "cancelled", absl::StatusCode::kCancelled},
    {FailureClass::kSinkFailed, "sink_failed", absl::StatusCode::kCancelled},
}};

constexpr bool InOrder() {
  for (size_t i = 0; i < kClasses.size(); ++i) {
    if (static_cast<size_t>(kClasses[i].failure) != i) return false;
  }
  return true;
}
static_assert(InOrder());

constexpr std::string_view kMask = "***";
// Shortest run of key characters that is taken for a credential.
constexpr size_t kKeyLength = 20;

bool IsKeyCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' ||
         c == '+' || c == '/' || c == '=' || c == '~' || c == '*';
}

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool EndsWithWord(std::string_view text, std::string_view word) {
  if (text.size() < word.size()) return false;
  const std::string_view tail = text.substr(text.size() - word.size());
  for (size_t i = 0; i < word.size(); ++i) {
    if (Lower(tail[i]) != word[i]) return false;
  }
  return true;
}

// What may stand between "key" or "Bearer" and the key itself.
bool IsKeyPunctuation(char c) {
  return std::string_view(" :=\"'`([<,").find(c) != std::string_view::npos;
}

bool IsLetter(char c) {
  const char lower = Lower(c);
  return lower >= 'a' && lower <= 'z';
}

void DropTail(bool (*drops)(char), std::string_view* text) {
  while (!text->empty() && drops(text->back())) text->remove_suffix(1);
}

// True where `before` ends in a word that announces a credential.
bool EndsInAnnouncement(std::string_view before) {
  for (const std::string_view word :
       {"bearer", "key", "keys", "token", "secret"}) {
    if (EndsWithWord(before, word)) return true;
  }
  return false;
}

// True for a run of key characters that `before` announces as a credential:
// directly ("Bearer X", "key: X"), or, for runs with a digit, with one word
// between ("key provided: X"; prose rarely has digits in such long words).
bool Announced(std::string_view run, std::string_view before) {
  DropTail(IsKeyPunctuation, &before);
  if (EndsInAnnouncement(before)) return true;
  if (run.find_first_of("0123456789") == std::string_view::npos) return false;
  DropTail(IsLetter, &before);
  DropTail(IsKeyPunctuation, &before);
  return EndsInAnnouncement(before);
}

// Where within a run of key characters the secret begins; npos if there is
// none. Beside "sk-" and "key" the beginnings that other vendors' keys and
// JSON web tokens have.
size_t SecretIn(std::string_view run, std::string_view before) {
  for (size_t i = 1; i + kKeyLength <= run.size(); ++i) {
    const std::string_view head = run.substr(0, i);
    for (const std::string_view prefix :
         {"sk-", "sk_", "key", "xai-", "aiza", "eyj"}) {
      if (EndsWithWord(head, prefix)) return i;
    }
  }
  if (run.size() >= kKeyLength && Announced(run, before)) return 0;
  return std::string_view::npos;
}

// Control characters become spaces, what UTF-8 cannot hold goes.
std::string Printable(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    const Utf8Sequence sequence = ReadUtf8(at, end);
    if (sequence.kind == Utf8Kind::kValid) {
      const char32_t c = sequence.code_point;
      const bool control =
          c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
      if (!control) {
        clean.append(at, static_cast<size_t>(sequence.length));
      } else if (!clean.empty() && clean.back() != ' ') {
        clean.push_back(' ');
      }
    }
    at += sequence.length;
  }
  while (!clean.empty() && clean.back() == ' ') clean.pop_back();
  return clean;
}

std::string MaskCredentials(std::string_view text) {
  std::string masked;
  masked.reserve(text.size());
  size_t at = 0;
  while (at < text.size()) {
    size_t end = at;
    while (end < text.size() && IsKeyCharacter(text[end])) ++end;
    // The full stop of the sentence.
    while (end > at + 1 && text[end - 1] == '.') --end;
    if (end == at) {
      masked.push_back(text[at++]);
      continue;
    }
    const std::string_view run = text.substr(at, end - at);
    const size_t secret = SecretIn(run, text.substr(0, at));
    if (secret == std::string_view::npos) {
      masked.append(run);
    } else {
      masked.append(run.substr(0, secret)).append(kMask);
    }
    at = end;
  }
  return masked;
}

// At most `limit` characters (code points), never half of one.
void CutCharacters(size_t limit, std::string* text) {
  size_t characters = 0;
  for (size_t i = 0; i < text->size(); ++i) {
    const bool tail = (static_cast<unsigned char>((*text)[i]) & 0xC0) == 0x80;
    if (tail) continue;
    if (characters == limit) {
      text->resize(i);
      return;
    }
    ++characters;
  }
}

}  // namespace

std::string_view FailureClassName(FailureClass failure) {
  return kClasses[static_cast<size_t>(failure)].name;
}

absl::StatusCode FailureStatusCode(FailureClass failure) {
  return kClasses[static_cast<size_t>(failure)].code;
}

std::string SanitiseUpstreamText(std::string_view text, size_t limit) {
  // Masked before it is cut: the cut could leave half a key that is too short
  // to be told.
  std::string clean = MaskCredentials(Printable(text));
  CutCharacters(limit, &clean);
  return clean;
}

}  // namespace llm
