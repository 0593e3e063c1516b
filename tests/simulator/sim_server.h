// The scripted upstream: one thread, real sockets, a log of what it saw.
//
// Threads: Listen and Run on one thread; Stop from any. What it keeps is asked
//          for over HTTP, so that a test in the same process needs no lock.
#ifndef LLM_TESTS_SIMULATOR_SIM_SERVER_H_
#define LLM_TESTS_SIMULATOR_SIM_SERVER_H_

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "adapters/core/task.h"
#include "tests/simulator/fault_mix.h"
#include "tests/simulator/sim_script.h"

namespace llm::simulator {

struct LogEntry {
  int64_t number = 0;
  std::string lane;
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  int status = 0;
  // open, answered, closed, reset, stalled, client_left.
  std::string outcome = "open";
  int64_t body_bytes_sent = 0;
  int connection = 0;
  // A fault of the lane's mix, not of a script.
  bool mixed = false;
  // Microseconds since 1970: when it was read, and when its outcome came.
  int64_t began_us = 0;
  int64_t ended_us = 0;
};

class SimServer {
 public:
  SimServer(DefaultAnswer answer, bool keep_log);
  ~SimServer();
  SimServer(const SimServer&) = delete;
  SimServer& operator=(const SimServer&) = delete;

  // Binds 127.0.0.1:port (0: any) and returns the port. Throws Asio's error
  // when that cannot be.
  int Listen(int port);
  // Serves until Stop.
  void Run();
  void Stop();

 private:
  class Connection;
  struct Sockets;
  Task<void> Accept();
  void StartListening();
  // As a process that died: new connections are refused and idle ones close
  // for so long; exchanges under way end first.
  void Refuse(int64_t ms);
  absl::Status SetMix(const std::string& lane, const std::string& body);
  std::string Control(const std::string& method, const std::string& target,
                      const std::string& body, int& status);
  std::string LogJson(const std::string& lane) const;
  // The script for the next request in a lane; `mixed` is set for a fault of
  // its mix.
  Script NextScript(const std::string& lane, std::string_view body,
                    bool& mixed);

  DefaultAnswer answer_;
  bool keep_log_;
  absl::flat_hash_map<std::string, std::deque<Script>> lanes_;
  absl::flat_hash_map<std::string, FaultMix> mixes_;
  absl::flat_hash_set<Connection*> open_;
  bool refusing_ = false;
  std::deque<LogEntry> log_;  // entries never move
  int64_t requests_ = 0;
  int connections_ = 0;
  // Last: connections under way refer to the rest.
  std::unique_ptr<Sockets> sockets_;
};

}  // namespace llm::simulator

#endif  // LLM_TESTS_SIMULATOR_SIM_SERVER_H_
