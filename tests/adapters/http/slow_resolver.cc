#include "tests/adapters/http/slow_resolver.h"

#include <dlfcn.h>
#include <netdb.h>

#include <condition_variable>
#include <mutex>
#include <string_view>

namespace llm {
namespace {

// Global, since the function it stands for is.
struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  bool closed = false;
  int blocked = 0;
};

Gate& TheGate() {
  static Gate gate;
  return gate;
}

void PassGate() {
  Gate& gate = TheGate();
  std::unique_lock<std::mutex> lock(gate.mutex);
  ++gate.blocked;
  gate.changed.wait(lock, [&] { return !gate.closed; });
  --gate.blocked;
  gate.changed.notify_all();
}

}  // namespace

SlowResolver::SlowResolver() {
  const std::lock_guard<std::mutex> lock(TheGate().mutex);
  TheGate().closed = true;
}

SlowResolver::~SlowResolver() {
  Gate& gate = TheGate();
  std::unique_lock<std::mutex> lock(gate.mutex);
  gate.closed = false;
  gate.changed.notify_all();
  gate.changed.wait(lock, [&] { return gate.blocked == 0; });
}

int SlowResolver::blocked() const {
  const std::lock_guard<std::mutex> lock(TheGate().mutex);
  return TheGate().blocked;
}

}  // namespace llm

// Takes the C library's place for libcurl, too.
extern "C" int getaddrinfo(const char* node, const char* service,
                           const addrinfo* hints, addrinfo** result) {
  if (node != nullptr && std::string_view(node) == llm::kSlowHost) {
    llm::PassGate();
    return EAI_AGAIN;
  }
  using Function =
      int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto next =
      reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return next(node, service, hints, result);
}
