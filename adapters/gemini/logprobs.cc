#include "adapters/gemini/logprobs.h"

namespace llm::gemini {
namespace {

// Token, its logarithm and its bytes, as members of the open object.
void WriteToken(JsonValue token, JsonWriter& out) {
  const std::string text = token.Find("token").StringOr();
  const JsonValue log = token.Find("logProbability");
  out.Member("token", text);
  // One that is certain is left out there.
  out.MemberRaw("logprob", log.is_number() ? log.raw() : "0");
  out.Key("bytes");
  out.BeginArray();
  for (const char c : text) out.Int(static_cast<unsigned char>(c));
  out.EndArray();
}

}  // namespace

std::string OpenAiLogprobs(JsonValue result) {
  const JsonValue chosen = result.Find("chosenCandidates");
  if (chosen.size() == 0) return {};
  std::string text;
  JsonWriter out(&text);
  out.BeginObject();
  out.Key("content");
  out.BeginArray();
  JsonValue top = result.Find("topCandidates").First();
  for (JsonValue v = chosen.First(); v; v = v.Next(), top = top.Next()) {
    out.BeginObject();
    WriteToken(v, out);
    out.Key("top_logprobs");
    out.BeginArray();
    const JsonValue others = top.Find("candidates");
    for (JsonValue other = others.First(); other; other = other.Next()) {
      out.BeginObject();
      WriteToken(other, out);
      out.EndObject();
    }
    out.EndArray();
    out.EndObject();
  }
  out.EndArray();
  out.EndObject();
  return text;
}

}  // namespace llm::gemini
