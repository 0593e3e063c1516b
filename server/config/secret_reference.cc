#include "server/config/secret_reference.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

#include "absl/strings/ascii.h"
#include "adapters/core/status_macros.h"
#include "server/config/text.h"

namespace llm::server {
namespace {

constexpr size_t kMaxSecretBytes = size_t{16} << 10;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

absl::StatusOr<ApiKey> CheckSecret(std::string_view secret,
                                   std::string_view where) {
  if (secret.empty()) {
    return absl::InvalidArgumentError(Cat(where, " is empty"));
  }
  for (const char c : secret) {
    // It travels in a header: a line break would end it.
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c))) {
      return absl::InvalidArgumentError(
          Cat(where, " holds white space or characters that no key has"));
    }
  }
  return ApiKey(std::string(secret));
}

}  // namespace

absl::StatusOr<std::string> ReadSmallFile(const std::string& path,
                                          size_t limit) {
  const std::unique_ptr<std::FILE, CloseFile> file(
      std::fopen(path.c_str(), "rb"));
  if (file == nullptr) {
    return absl::ErrnoToStatus(errno, Cat("cannot read ", Shown(path)));
  }
  // Piece by piece: files are small, and the limit is not.
  std::string text;
  std::array<char, 16384> piece;
  size_t count = piece.size();
  while (count == piece.size() && text.size() <= limit) {
    count = std::fread(piece.data(), 1, piece.size(), file.get());
    text.append(piece.data(), count);
  }
  if (std::ferror(file.get()) != 0) {
    return absl::InvalidArgumentError(
        Cat("cannot read ", Shown(path), ": not a regular file?"));
  }
  if (text.size() > limit) {
    return absl::InvalidArgumentError(
        Cat(Shown(path), " is larger than ", limit, " bytes"));
  }
  return text;
}

absl::StatusOr<ApiKey> ResolveSecret(const std::string& reference,
                                     LoadContext* context) {
  std::string_view rest = reference;
  if (ConsumePrefix(&rest, "env:")) {
    const std::string name(rest);
    context->referenced_env.insert(name);
    const std::optional<std::string> value = context->Env(name);
    const std::string where = Cat("environment variable ", Shown(name));
    if (!value.has_value()) {
      return absl::InvalidArgumentError(Cat(where, " is not set"));
    }
    return CheckSecret(std::string(absl::StripAsciiWhitespace(*value)), where);
  }
  if (ConsumePrefix(&rest, "file:")) {
    const std::string path(rest);
    LLM_ASSIGN_OR_RETURN(const std::string text,
                         ReadSmallFile(path, kMaxSecretBytes));
    return CheckSecret(std::string(absl::StripAsciiWhitespace(text)),
                       Cat("secret file ", Shown(path)));
  }
  return absl::InvalidArgumentError(
      "secrets are given by reference only: env:NAME or file:PATH");
}

}  // namespace llm::server
