// Where a part stood among the flat fields of its message.
//
// OpenAI's messages have one string of text, one of reasoning and one list of
// calls. What stands between them (signed reasoning, a block that only its
// maker understands) goes out in arrays of its own, and says as `at` how much
// of the others came before it. A caller that sends the message back as it was
// gets every part back into its place; the members survive the joining of a
// stream's deltas, since they count from the beginning of the message.
//
// Threads: Values.
// Units:   Bytes of UTF-8; calls by number.
// Edits:   `check` stands for the text just before the place. A caller that
//          changed the text is found out by it, or has moved nothing.
#ifndef LLM_SERVER_HTTP_FLAT_PLACE_H_
#define LLM_SERVER_HTTP_FLAT_PLACE_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/core/json.h"
#include "llm/v1/chat.pb.h"

namespace llm::server {

struct FlatPlace {
  int64_t content = 0;
  // The part's own text included.
  int64_t reasoning = 0;
  int64_t calls = 0;
  // Among the parts that have a place.
  int64_t order = 0;
  // Of the last bytes of content before the place.
  uint32_t check = 0;
};

// How far a message has come: where a part that came now would stand.
class FlatEnd {
 public:
  void AddContent(std::string_view text);
  void AddReasoning(std::string_view text) {
    place_.reasoning += static_cast<int64_t>(text.size());
  }
  // The number of calls so far.
  void CallsAtLeast(int64_t calls) {
    place_.calls = std::max(place_.calls, calls);
  }
  void AddCall() { ++place_.calls; }
  // The place here, counted as taken.
  FlatPlace Take();

 private:
  FlatPlace place_;
  std::string tail_;
};

// The end of each choice of a stream so far, by its index.
using StreamPlaces = std::map<int, FlatEnd>;

// The member `at` of an open object.
void WritePlace(const FlatPlace& place, JsonWriter& json);
// `at` of a part that came back; nullopt where there is none.
std::optional<FlatPlace> ReadPlace(JsonValue part);

// A part that came back beside the flat fields.
struct PlacedPart {
  v1::Part part;
  std::optional<FlatPlace> at;
};

// What came back in the flat fields.
struct FlatFields {
  std::string content;
  std::string reasoning;
  std::vector<v1::Part> calls;
};

// Adds all parts to `out` in the order of their places, the flat fields cut
// between them, and is true; calls that came after the last place stay in
// `flat`. All of `placed` have one; false, and nothing is changed, where one
// does not fit, since the caller has changed the message.
bool AddInPlace(FlatFields& flat, std::vector<PlacedPart> placed,
                v1::Message* out);

}  // namespace llm::server

#endif  // LLM_SERVER_HTTP_FLAT_PLACE_H_
