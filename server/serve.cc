#include "server/cli/serve.h"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "adapters/registry.h"
#include "server/cli/cli.h"
#include "server/config/load_config.h"
#include "server/metrics/log_queue.h"
#include "server/serve_stack.h"

namespace llm::server {
namespace {

// Exit codes of `serve`, as `check` has them.
constexpr int kExitOk = 0;
constexpr int kExitFailed = 1;
constexpr int kExitBadConfig = 2;

std::vector<std::string> EnvironmentNames() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text(*entry);
    names.push_back(text.substr(0, text.find('=')));
  }
  return names;
}

ConfigResult Load(const std::string& file) {
  ConfigSources sources;
  sources.file = file;
  sources.env = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
  sources.env_names = EnvironmentNames();
  sources.built_in = &BuiltInProviders();
  return LoadConfig(sources);
}

// Signals are taken by sigwait on the main thread and nowhere else. Blocked
// before any thread starts, so that all inherit it.
sigset_t BlockSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // A socket whose peer has gone is an error code, not a signal.
  ::signal(SIGPIPE, SIG_IGN);
  return set;
}

// As many descriptors as the system allows: most set the soft limit to 1024,
// which a few hundred streams use up. A call takes two: its caller's, and the
// provider's.
void RaiseDescriptorLimit(const ServerConfig& server) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  const auto needed =
      static_cast<rlim_t>(server.max_connections + server.max_in_flight);
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < needed) {
    spdlog::warn(
        "{} open files are allowed, but server.max_connections and "
        "server.max_in_flight together may need {}: raise the limit "
        "(LimitNOFILE, ulimit -n) or lower them",
        limit.rlim_cur, needed);
  }
}

// Lines of requests and events go to stderr through one queue and one thread.
// The rows of the ledger stay where lines are lost.
struct ServiceLog {
  std::shared_ptr<LogQueue> queue = std::make_shared<LogQueue>(STDERR_FILENO);
  std::shared_ptr<spdlog::logger> logger =
      std::make_shared<spdlog::logger>("llm-service", queue);

  ServiceLog() {
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v",
                        spdlog::pattern_time_type::utc);
    logger->flush_on(spdlog::level::warn);
    spdlog::set_default_logger(logger);
  }

  // Writes what is queued. Where nobody takes it from stderr any more, the
  // process ends all the same, with `code`.
  void End(int code) const {
    std::thread([code] {
      std::this_thread::sleep_for(std::chrono::seconds(5));
      std::_Exit(code);
    }).detach();
    queue->End();
  }
};

void Reload(ServeStack& stack, const std::string& file) {
  const ConfigResult loaded = Load(file);
  for (const std::string& fault : loaded.faults) {
    spdlog::error("reload refused, the old configuration stays: {}", fault);
  }
  if (loaded.config == nullptr) return;
  const absl::StatusOr<std::vector<std::string>> done =
      stack.Reload(loaded.config);
  if (!done.ok()) {
    spdlog::error("reload refused, the old configuration stays: {}",
                  std::string(done.status().message()));
    return;
  }
  for (const std::string& name : *done) {
    spdlog::warn("{} changes with a restart only", name);
  }
  for (const std::string& notice : loaded.config->notices) {
    spdlog::warn("{}", notice);
  }
  spdlog::info("reloaded config_version={}", loaded.config->table->version);
}

// While a drain is under way: a second SIGTERM or SIGINT cuts it short, and
// one that goes far beyond its time is ended. What was recorded is in journals
// by then, which the next start reads.
class DrainWatch {
 public:
  DrainWatch(ServeStack& stack, const sigset_t& signals, absl::Duration most,
             const ServiceLog& log)
      : log_(log),
        thread_([this, &stack, signals, most] { Run(stack, signals, most); }) {}
  ~DrainWatch() {
    over_ = true;
    thread_.join();
  }
  DrainWatch(const DrainWatch&) = delete;
  DrainWatch& operator=(const DrainWatch&) = delete;

 private:
  void Run(ServeStack& stack, const sigset_t& signals, absl::Duration most) {
    const auto end =
        std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(most);
    constexpr timespec kLook{0, 100'000'000};
    while (!over_) {
      const int signal = sigtimedwait(&signals, nullptr, &kLook);
      if (signal == SIGTERM || signal == SIGINT) {
        spdlog::warn("told to stop again: calls in flight are cut");
        stack.HurryDrain();
      }
      if (std::chrono::steady_clock::now() < end) continue;
      spdlog::critical("the drain does not end: stopping without it");
      log_.End(kExitFailed);
      std::_Exit(kExitFailed);
    }
  }

  const ServiceLog& log_;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

// Past the drain time: last words, calls and rows that are late.
constexpr absl::Duration kDrainSlack = absl::Seconds(30);

// The exit code.
int Drain(ServeStack& stack, const sigset_t& signals, absl::Duration drain,
          const ServiceLog& log) {
  spdlog::info("draining for at most {} s", absl::ToInt64Seconds(drain));
  absl::Status closed;
  {
    const DrainWatch watch(stack, signals, drain + kDrainSlack, log);
    closed = stack.Drain();
  }
  if (!closed.ok()) spdlog::warn("{}", std::string(closed.message()));
  for (const std::string& door : stack.stuck()) {
    spdlog::error("calls of {} did not end", door);
  }
  if (!stack.stuck().empty()) {
    // They may still use what would be destroyed now.
    log.End(kExitFailed);
    std::_Exit(kExitFailed);
  }
  spdlog::info("stopped");
  return kExitOk;
}

int Run(const ServeOptions& options, const sigset_t& signals,
        const ServiceLog& log) {
  const ConfigResult loaded = Load(options.config_file);
  for (const std::string& fault : loaded.faults) {
    spdlog::error("{}", fault);
  }
  if (loaded.config == nullptr) return kExitBadConfig;
  for (const std::string& notice : loaded.config->notices) {
    spdlog::warn("{}", notice);
  }
  RaiseDescriptorLimit(loaded.config->server);
  absl::StatusOr<std::unique_ptr<ServeStack>> stack = ServeStack::Start(
      loaded.config, {BuildVersion(), BuildCommit()}, *log.logger);
  if (!stack.ok()) {
    spdlog::error("cannot start: {}", std::string(stack.status().message()));
    return kExitFailed;
  }
  spdlog::info("ready {} config_version={}", (*stack)->Addresses(),
               loaded.config->table->version);
  log.logger->flush();
  for (;;) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal != SIGHUP) break;
    Reload(**stack, options.config_file);
  }
  return Drain(**stack, signals, loaded.config->server.drain, log);
}

}  // namespace

int Serve(const ServeOptions& options) {
  const sigset_t signals = BlockSignals();
  const ServiceLog log;
  const int code = Run(options, signals, log);
  log.End(code);
  return code;
}

}  // namespace llm::server
