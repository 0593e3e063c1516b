#include "server/metrics/log_queue.h"

#include <fcntl.h>
#include <spdlog/logger.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <memory>

namespace llm::server {
namespace {

struct Pipe {
  Pipe() { REQUIRE(::pipe(ends.data()) == 0); }
  ~Pipe() {
    ::close(ends[0]);
    if (ends[1] >= 0) ::close(ends[1]);
  }
  void CloseWriter() {
    ::close(ends[1]);
    ends[1] = -1;
  }
  // Up to the end.
  std::string Read() {
    std::string all;
    std::array<char, 65536> some{};
    for (;;) {
      const ssize_t got = ::read(ends[0], some.data(), some.size());
      if (got <= 0) return all;
      all.append(some.data(), static_cast<size_t>(got));
    }
  }
  // As many lines as were asked for, waiting for them.
  std::string ReadLines(int count) {
    std::string all;
    char c = 0;
    while (count > 0 && ::read(ends[0], &c, 1) == 1) {
      all += c;
      if (c == '\n') --count;
    }
    return all;
  }
  std::array<int, 2> ends{};
};

struct Log {
  explicit Log(int fd) : queue(std::make_shared<LogQueue>(fd)) {
    logger.sinks().push_back(queue);
    logger.set_pattern("%l %v");
    logger.flush_on(spdlog::level::warn);
  }
  std::shared_ptr<LogQueue> queue;
  spdlog::logger logger{"test"};
};

TEST_CASE("lines are written in their order, and all of them at the end",
          "[metrics][log]") {
  Pipe pipe;
  Log log(pipe.ends[1]);
  std::string want;
  for (int i = 0; i < 500; ++i) {
    log.logger.info("{}", i);
    want += "info " + std::to_string(i) + "\n";
  }
  log.queue->End();
  log.queue->End();
  log.logger.info("too late");
  pipe.CloseWriter();
  CHECK(pipe.Read() == want);
}

TEST_CASE("news are written without anybody's asking, warnings too",
          "[metrics][log]") {
  Pipe pipe;
  Log log(pipe.ends[1]);
  log.logger.info("a");
  CHECK(pipe.ReadLines(1) == "info a\n");
  log.logger.warn("b");
  CHECK(pipe.ReadLines(1) == "warning b\n");
}

TEST_CASE("a log that nobody reads stops nobody, and says what it lost",
          "[metrics][log][OPS-3]") {
  Pipe pipe;
  Log log(pipe.ends[1]);
  const std::string line(1000, 'x');
  // More than pipe and queue hold.
  const int lines = 3 * static_cast<int>(LogQueue::kMostWaiting / line.size());
  for (int i = 0; i < lines; ++i) log.logger.info(line);
  std::string all;
  std::thread reader([&] { all = pipe.Read(); });
  log.queue->End();
  pipe.CloseWriter();
  reader.join();
  CHECK(all.size() > LogQueue::kMostWaiting / 2);
  CHECK(all.size() < size_t{3} * LogQueue::kMostWaiting);
  CHECK(all.find(" lines were lost: the log was not read fast enough\n") !=
        std::string::npos);
}

TEST_CASE("a pipe that does not block loses nothing", "[metrics][log]") {
  Pipe pipe;
  REQUIRE(::fcntl(pipe.ends[1], F_SETFL, O_NONBLOCK) == 0);
  Log log(pipe.ends[1]);
  std::string want;
  for (int i = 0; i < 2000; ++i) {
    log.logger.info("{:0100}", i);
    want += fmt::format("info {:0100}\n", i);
  }
  std::string all;
  std::thread reader([&] { all = pipe.Read(); });
  log.queue->End();
  pipe.CloseWriter();
  reader.join();
  CHECK(all == want);
}

}  // namespace
}  // namespace llm::server
