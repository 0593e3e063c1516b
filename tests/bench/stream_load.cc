// Streams over plain HTTP/1.1, many at once from one thread: how many deltas
// came, and how late each is after its upstream sent it (the simulator's
// STAMP-OF-SENDING). Prints one line of JSON.
//
//   stream_load --port P --path /v1/chat/completions --body-file F
//               [--header 'Name: value']… [--streams 50] [--rounds 1]
//               [--ramp-ms 100] [--hold]
//
// With --hold it prints "open N" when N answers have begun, and holds them
// until its standard input ends.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace asio = boost::asio;
using asio::use_awaitable;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

struct Options {
  int port = 0;
  std::string path = "/v1/chat/completions";
  std::string body_file;
  std::vector<std::string> headers;
  int streams = 50;
  int rounds = 1;
  int ramp_ms = 100;
  bool hold = false;
};

struct Tally {
  std::vector<int64_t> late_us;
  int64_t bytes = 0;
  int begun = 0;
  int ended = 0;
  int failed = 0;
};

int64_t NowMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             Clock::now().time_since_epoch())
      .count();
}

// Sixteen digits in a row are a stamp; it may come in two reads.
class StampReader {
 public:
  void Read(std::string_view bytes, int64_t now, Tally* tally) {
    for (const char c : bytes) {
      if (c < '0' || c > '9') {
        digits_ = 0;
        value_ = 0;
        continue;
      }
      value_ = value_ * 10 + (c - '0');
      if (++digits_ < 16) continue;
      tally->late_us.push_back(now - value_);
      digits_ = 0;
      value_ = 0;
    }
  }

 private:
  int digits_ = 0;
  int64_t value_ = 0;
};

// The end of a chunked body, wherever reads cut it.
class EndFinder {
 public:
  bool Saw(std::string_view bytes) {
    tail_.append(
        bytes.substr(bytes.size() - std::min<size_t>(bytes.size(), 8)));
    const bool end = tail_.ends_with("\r\n0\r\n\r\n");
    if (tail_.size() > 16) tail_.erase(0, tail_.size() - 16);
    return end;
  }

 private:
  std::string tail_;
};

asio::awaitable<void> OneAnswer(tcp::socket& socket, const std::string& request,
                                Tally* tally) {
  co_await asio::async_write(socket, asio::buffer(request), use_awaitable);
  StampReader stamps;
  EndFinder end;
  char buffer[16384];
  bool first = true;
  for (bool whole = false; !whole;) {
    const size_t count =
        co_await socket.async_read_some(asio::buffer(buffer), use_awaitable);
    const std::string_view bytes(buffer, count);
    if (first) {
      if (!bytes.starts_with("HTTP/1.1 200")) {
        throw std::runtime_error("refused: " +
                                 std::string(bytes.substr(0, 80)));
      }
      ++tally->begun;
      first = false;
    }
    tally->bytes += static_cast<int64_t>(count);
    stamps.Read(bytes, NowMicros(), tally);
    whole = end.Saw(bytes);
  }
  ++tally->ended;
}

asio::awaitable<void> OneStream(const Options& options, std::string request,
                                int number, Tally* tally) {
  try {
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer start(executor);
    start.expires_after(std::chrono::microseconds(
        int64_t{1000} * options.ramp_ms * number / options.streams));
    co_await start.async_wait(use_awaitable);
    tcp::socket socket(executor);
    co_await socket.async_connect(
        {asio::ip::address_v4::loopback(), static_cast<uint16_t>(options.port)},
        use_awaitable);
    socket.set_option(tcp::no_delay(true));
    for (int i = 0; i < options.rounds; ++i) {
      co_await OneAnswer(socket, request, tally);
    }
  } catch (const std::exception& error) {
    if (tally->failed++ == 0) std::fprintf(stderr, "%s\n", error.what());
  }
}

std::string RequestOf(const Options& options) {
  std::ifstream file(options.body_file, std::ios::binary);
  const std::string body{std::istreambuf_iterator<char>(file), {}};
  std::string request = "POST " + options.path +
                        " HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                        "Content-Type: application/json\r\nContent-Length: " +
                        std::to_string(body.size()) + "\r\n";
  for (const std::string& header : options.headers) request += header + "\r\n";
  return request + "\r\n" + body;
}

int64_t At(const std::vector<int64_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<size_t>(last * share)];
}

// Says how many are open, and ends the program with its input.
asio::awaitable<void> Hold(const Options& options, const Tally* tally,
                           asio::io_context* io) {
  asio::steady_timer tick(*io);
  while (tally->begun + tally->failed < options.streams) {
    tick.expires_after(std::chrono::milliseconds(20));
    co_await tick.async_wait(use_awaitable);
  }
  std::printf("open %d\n", tally->begun);
  std::fflush(stdout);
  asio::posix::stream_descriptor input(*io, ::dup(STDIN_FILENO));
  char byte = 0;
  try {
    while (true) {
      co_await input.async_read_some(asio::buffer(&byte, 1), use_awaitable);
    }
  } catch (const std::exception&) {
    io->stop();
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Many streams at once, and how late their deltas are"};
  app.add_option("--port", options.port)->required();
  app.add_option("--path", options.path);
  app.add_option("--body-file", options.body_file)->required();
  app.add_option("--header", options.headers);
  app.add_option("--streams", options.streams);
  app.add_option("--rounds", options.rounds);
  app.add_option("--ramp-ms", options.ramp_ms, "Streams start within this");
  app.add_flag("--hold", options.hold);
  CLI11_PARSE(app, argc, argv);
  asio::io_context io(1);
  Tally tally;
  const std::string request = RequestOf(options);
  for (int i = 0; i < options.streams; ++i) {
    asio::co_spawn(io, OneStream(options, request, i, &tally), asio::detached);
  }
  if (options.hold) {
    asio::co_spawn(io, Hold(options, &tally, &io), asio::detached);
  }
  const auto began = Clock::now();
  io.run();
  const std::chrono::duration<double> took = Clock::now() - began;
  std::sort(tally.late_us.begin(), tally.late_us.end());
  // What a delayed acknowledgement or a Nagle wait would look like.
  const auto stalls = std::count_if(
      tally.late_us.begin(), tally.late_us.end(),
      [](int64_t late) { return late >= 35'000 && late <= 60'000; });
  std::printf(
      "{\"seconds\":%.3f,\"deltas\":%zu,\"bytes\":%lld,\"ended\":%d,"
      "\"failed\":%d,\"late_us\":{\"p50\":%lld,\"p90\":%lld,\"p99\":%lld,"
      "\"max\":%lld},\"near_40_ms\":%lld}\n",
      took.count(), tally.late_us.size(), static_cast<long long>(tally.bytes),
      tally.ended, tally.failed, static_cast<long long>(At(tally.late_us, 0.5)),
      static_cast<long long>(At(tally.late_us, 0.9)),
      static_cast<long long>(At(tally.late_us, 0.99)),
      static_cast<long long>(At(tally.late_us, 1)),
      static_cast<long long>(stalls));
  return tally.failed == 0 ? 0 : 1;
}
