// The secrets of virtual keys: made, digested, compared.
//
// Threads: Pure, but for the randomness of MakeKeySecret.
#ifndef LLM_SERVER_AUTH_KEY_SECRET_H_
#define LLM_SERVER_AUTH_KEY_SECRET_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace llm::server {

using KeyDigest = std::array<uint8_t, 32>;

// "sk-" and 48 alphanumerics, every one of the 62 equally likely.
std::string MakeKeySecret();
// Whether `text` has the form of a secret.
bool IsKeySecret(std::string_view text);
// SHA-256.
KeyDigest DigestOf(std::string_view secret);
// The part of a secret that may be shown: "sk-ab12".
std::string KeyPrefix(std::string_view secret);

// Takes as long whatever the bytes are; lengths are not secret.
bool ConstantTimeEquals(std::string_view a, std::string_view b);

}  // namespace llm::server

#endif  // LLM_SERVER_AUTH_KEY_SECRET_H_
