// What the simulator answers, byte for byte, and when it misbehaves.
#ifndef LLM_TESTS_SIMULATOR_SIM_SCRIPT_H_
#define LLM_TESTS_SIMULATOR_SIM_SCRIPT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace llm::simulator {

enum class Fate { kNone, kClose, kReset, kStall };

// The fate of that name: "close", "reset", "stall"; kNone for any other word.
Fate FateNamed(std::string_view word);

struct Script {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // Sent verbatim instead of head and body, if not empty.
  std::string raw;
  // length, chunked or close.
  std::string framing = "chunked";
  // How the body is cut into writes: sizes in order, the last one repeats;
  // empty: one write.
  std::vector<size_t> pieces;
  // Cut at random places instead; 0: not.
  uint64_t random_seed = 0;
  int64_t delay_ms = 0;        // before the head
  int64_t body_delay_ms = 0;   // between head and body
  int64_t piece_delay_ms = 0;  // between pieces
  // Strikes instead of an answer: nothing is sent, not even a head.
  Fate before_head = Fate::kNone;
  // After so many body bytes the fate strikes. kStall holds the connection
  // open until the client leaves.
  Fate fate = Fate::kNone;
  size_t fate_after = 0;
  // How many requests it answers before the next script; 0: all of them.
  int times = 1;
};

// From the JSON of README.md. kInvalidArgument names the member at fault.
absl::StatusOr<Script> ParseScript(std::string_view json);

// Stands in a body for the moment its piece is sent: sixteen digits of the
// steady clock's microseconds, which every process of a machine shares.
inline constexpr std::string_view kStamp = "STAMP-OF-SENDING";

// Cuts `body` as the script says.
std::vector<std::string_view> Pieces(const Script& script,
                                     std::string_view body);

// The answer where no script is set: a chat completion of `chars` characters
// of text, as a stream of `deltas` chunks if the request asks for one.
struct DefaultAnswer {
  int chars = 700;
  int deltas = 64;
  int64_t interval_ms = 0;
  // Each chunk's text begins with kStamp.
  bool stamp = false;
};
Script MakeDefaultAnswer(const DefaultAnswer& options, std::string_view model,
                         bool stream);

}  // namespace llm::simulator

#endif  // LLM_TESTS_SIMULATOR_SIM_SCRIPT_H_
