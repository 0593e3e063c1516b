// HTTP/1 requests as other programs on the path might read them: one that is
// strict, and some that forgive what proxies and servers are known to forgive.
//
// Where our door accepts a request, all of them must see the same one: a
// difference is what request smuggling is made of [SEC-6].
//
// Fact: RFC 9112, sections 2.2, 5, 6, 7; the leniencies are those of
//       portswigger.net/research/http-desync-attacks (read 2026-11-26).
#ifndef LLM_TESTS_FUZZ_HTTP_READING_H_
#define LLM_TESTS_FUZZ_HTTP_READING_H_

#include <string>
#include <string_view>
#include <vector>

namespace llm::fuzz {

struct Program {
  bool bare_lf = false;       // a lone LF ends a line
  bool folds = false;         // a line that starts with space goes on the last
  bool spaced_names = false;  // space before the colon is dropped
  bool last_length = false;   // of several lengths the last counts
  bool length_wins = false;   // over Transfer-Encoding
  bool loose_values = false;  // "chunked" anywhere, digits at the front
  bool strict = false;        // refuses whatever is doubtful
};

struct SeenRequest {
  std::string method;
  std::string target;
  std::string body;
  bool operator==(const SeenRequest&) const = default;
};

// The requests before the first one that is incomplete or refused.
std::vector<SeenRequest> ReadRequests(std::string_view bytes,
                                      const Program& program);

}  // namespace llm::fuzz

#endif  // LLM_TESTS_FUZZ_HTTP_READING_H_
