#include "adapters/core/failure.h"

#include "adapters/core/utf8.h"

namespace llm {
namespace {

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
  switch (failure) {
    case FailureClass::kNone:
      return "none";
    case FailureClass::kInvalidRequest:
      return "invalid_request";
    case FailureClass::kContextLength:
      return "context_length";
    case FailureClass::kContentFilter:
      return "content_filter";
    case FailureClass::kBadKey:
      return "bad_key";
    case FailureClass::kPermission:
      return "permission";
    case FailureClass::kOutOfMoney:
      return "out_of_money";
    case FailureClass::kModelNotFound:
      return "model_not_found";
    case FailureClass::kRateLimited:
      return "rate_limited";
    case FailureClass::kOverloaded:
      return "overloaded";
    case FailureClass::kServerError:
      return "server_error";
    case FailureClass::kTimeout:
      return "timeout";
    case FailureClass::kConnect:
      return "connect";
    case FailureClass::kTransport:
      return "transport";
    case FailureClass::kBadAnswer:
      return "bad_answer";
    case FailureClass::kIncomplete:
      return "incomplete";
    case FailureClass::kEmptyAnswer:
      return "empty_answer";
    case FailureClass::kCancelled:
      return "cancelled";
    case FailureClass::kSinkFailed:
      return "sink_failed";
  }
  return "unknown";
}

absl::StatusCode FailureStatusCode(FailureClass failure) {
  switch (failure) {
    case FailureClass::kNone:
      return absl::StatusCode::kOk;
    case FailureClass::kInvalidRequest:
    case FailureClass::kContextLength:
    case FailureClass::kContentFilter:
      return absl::StatusCode::kInvalidArgument;
    case FailureClass::kBadKey:
    case FailureClass::kPermission:
    case FailureClass::kOutOfMoney:
      return absl::StatusCode::kUnauthenticated;
    case FailureClass::kModelNotFound:
      return absl::StatusCode::kNotFound;
    case FailureClass::kRateLimited:
      return absl::StatusCode::kResourceExhausted;
    case FailureClass::kOverloaded:
    case FailureClass::kServerError:
    case FailureClass::kConnect:
    case FailureClass::kTransport:
    case FailureClass::kIncomplete:
    case FailureClass::kEmptyAnswer:
      return absl::StatusCode::kUnavailable;
    case FailureClass::kTimeout:
      return absl::StatusCode::kDeadlineExceeded;
    case FailureClass::kBadAnswer:
      return absl::StatusCode::kInternal;
    case FailureClass::kCancelled:
    case FailureClass::kSinkFailed:
      return absl::StatusCode::kCancelled;
  }
  return absl::StatusCode::kUnknown;
}

std::string SanitiseUpstreamText(std::string_view text, size_t limit) {
  // Masked before it is cut: the cut could leave half a key that is too short
  // to be told.
  std::string clean = MaskCredentials(Printable(text));
  CutCharacters(limit, &clean);
  return clean;
}

}  // namespace llm
