// What our door takes for a request, every other program on the path takes
// for the same one, however the bytes arrive; what they could differ on is
// refused [SEC-6].
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "server/http/request_reader.h"
#include "tests/fuzz/fuzz_check.h"
#include "tests/fuzz/http_reading.h"

namespace llm::server {
namespace {

namespace asio = boost::asio;
using fuzz::Program;
using fuzz::SeenRequest;

struct Verdict {
  std::vector<SeenRequest> requests;
  // Of the refusal after them; 0: the bytes ended.
  int refused = 0;
  bool operator==(const Verdict&) const = default;
};

HttpLimits SmallLimits() {
  HttpLimits limits;
  limits.max_header_bytes = 2048;
  limits.max_headers = 20;
  limits.max_body = 4096;
  return limits;
}

Task<void> ReadAll(RequestReader* reader, Verdict* out) {
  using Kind = RequestReader::Result::Kind;
  bool more = true;
  while (more) {
    RequestReader::Result result = co_await reader->Next();
    more = result.kind == Kind::kRequest;
    if (result.kind == Kind::kRefused) out->refused = result.fault.status;
    if (!more) break;
    const HttpRequest& request = result.request;
    fuzz::Check(request.target.starts_with('/'), "a path");
    fuzz::Check(request.body != nullptr, "a body");
    out->requests.push_back({request.method, request.target, *request.body});
    more = request.keep_alive;
  }
}

Verdict ReadHere(std::string_view bytes, uint8_t seed) {
  int ends[2];
  fuzz::Check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "two ends");
  static const HttpLimits kLimits = SmallLimits();
  asio::io_context loop;
  // A pair of Unix sockets reads and writes as TCP does.
  asio::ip::tcp::socket end(loop);
  end.assign(asio::ip::tcp::v4(), ends[0]);
  Socket socket(std::move(end), nullptr);
  RequestReader reader(
      socket, kLimits,
      {[](RequestReader::Stage) {},
       [](const HttpRequest&) { return std::optional<HttpReply>(); }, [] {}});
  Verdict verdict;
  bool done = false;
  asio::co_spawn(loop, ReadAll(&reader, &verdict),
                 [&](std::exception_ptr error) {
                   fuzz::Check(error == nullptr, "nothing is thrown");
                   done = true;
                 });
  for (const std::string& piece : fuzz::Cut(bytes, seed)) {
    loop.poll();
    if (done) break;
    fuzz::Check(write(ends[1], piece.data(), piece.size()) ==
                    static_cast<ssize_t>(piece.size()),
                "room for a piece");
  }
  shutdown(ends[1], SHUT_WR);
  loop.run();
  fuzz::Check(done, "the reader ends");
  close(ends[1]);
  return verdict;
}

// Every leniency alone, then all of them.
std::vector<Program> Programs() {
  std::vector<Program> programs(8);
  programs[0].strict = true;
  programs[1].bare_lf = true;
  programs[2].folds = true;
  programs[3].spaced_names = true;
  programs[4].last_length = true;
  programs[5].length_wins = true;
  programs[6].loose_values = true;
  programs[7] = {true, true, true, true, true, true, false};
  return programs;
}

void CheckAgreement(std::string_view bytes, const Verdict& verdict) {
  static const auto* const kPrograms = new std::vector<Program>(Programs());
  for (const Program& program : *kPrograms) {
    const auto others = fuzz::ReadRequests(bytes, program);
    fuzz::Check(others.size() >= verdict.requests.size(),
                "others see every request that we take");
    for (size_t i = 0; i < verdict.requests.size(); ++i) {
      fuzz::Check(others[i] == verdict.requests[i], "the same request");
    }
  }
}

}  // namespace
}  // namespace llm::server

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  llm::fuzz::Input input(data, size);
  const uint8_t seed = input.Byte();
  std::string bytes(input.rest());
  const llm::server::Verdict whole = llm::server::ReadHere(bytes, 0);
#ifdef LLM_FUZZ_PLANTED
  // A front that drops the space before a colon, then forwards.
  llm::server::Verdict verdict = whole;
  const size_t space = bytes.find("Encoding :");
  if (space != std::string::npos) {
    std::string mended = bytes;
    mended.erase(space + 8, 1);
    verdict = llm::server::ReadHere(mended, 0);
  }
  llm::server::CheckAgreement(bytes, verdict);
#else
  llm::server::CheckAgreement(bytes, whole);
#endif
  // The refusal may differ: what is cut off before it is malformed for sure is
  // waited for, and the bytes end instead.
  llm::fuzz::Check(
      llm::server::ReadHere(bytes, seed % 32 + 1).requests == whole.requests,
      "the same requests, however the bytes arrive");
  return 0;
}
