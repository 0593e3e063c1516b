#include "adapters/simulated/sample_vector.h"

#include <cmath>

#include "adapters/simulated/prompt_facts.h"

namespace llm {
namespace {

constexpr uint64_t kFnvStart = 0xcbf29ce484222325;
constexpr uint64_t kFnvPrime = 0x100000001b3;

uint64_t AddByte(uint64_t digest, uint8_t byte) {
  return (digest ^ byte) * kFnvPrime;
}

// SplitMix64 (Steele, Lea and Flood, 2014): any seed gives even bits.
uint64_t NextBits(uint64_t* state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

size_t Inputs(const v1::CreateEmbeddingsRequest& request) {
  return static_cast<size_t>(request.input().empty()
                                 ? request.token_inputs_size()
                                 : request.input_size());
}

}  // namespace

uint64_t InputDigest(const v1::CreateEmbeddingsRequest& request, size_t input) {
  const int at = static_cast<int>(input);
  uint64_t digest = kFnvStart;
  if (!request.input().empty()) {
    for (const char c : request.input(at)) {
      digest = AddByte(digest, static_cast<uint8_t>(c));
    }
    return digest;
  }
  // A byte that no text begins with: tokens are no text.
  digest = AddByte(digest, 0xFF);
  for (const int32_t token : request.token_inputs(at).tokens()) {
    for (int shift = 0; shift < 32; shift += 8) {
      digest = AddByte(digest, static_cast<uint8_t>(token >> shift));
    }
  }
  return digest;
}

uint64_t InputsDigest(const v1::CreateEmbeddingsRequest& request) {
  uint64_t digest = kFnvStart;
  for (size_t i = 0; i < Inputs(request); ++i) {
    digest = (digest ^ InputDigest(request, i)) * kFnvPrime;
  }
  return digest;
}

std::vector<float> SampleVector(uint64_t digest, int dimensions) {
  std::vector<float> vector(static_cast<size_t>(dimensions));
  uint64_t state = digest;
  double squares = 0;
  for (float& x : vector) {
    const double unit = static_cast<double>(NextBits(&state) >> 11) * 0x1.0p-53;
    x = static_cast<float>(2 * unit - 1);
    squares += static_cast<double>(x) * static_cast<double>(x);
  }
  const auto length = static_cast<float>(std::sqrt(squares));
  if (length == 0) {
    vector.front() = 1;
    return vector;
  }
  for (float& x : vector) x /= length;
  return vector;
}

int64_t CountInputTokens(const v1::CreateEmbeddingsRequest& request) {
  int64_t tokens = 0;
  for (const std::string& text : request.input()) tokens += CountTokens(text);
  for (const v1::TokenInput& input : request.token_inputs()) {
    tokens += input.tokens_size();
  }
  return tokens;
}

}  // namespace llm
