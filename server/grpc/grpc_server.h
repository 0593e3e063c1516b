// One gRPC listener: LlmService, and AdminService too on the admin listener;
// health checking and reflection on both.
//
// Threads:   Start, Shutdown and the destructor on the owner's thread, not on
//            a loop: Shutdown waits for calls that the loops must finish.
//            SetServing from any thread.
// Ownership: Loops, services, clock and reader outlive the server, and the
//            loops run until it is destroyed.
// Process:   The first Start turns off Abseil's search for deadlocks, which
//            Debian's build has on and gRPC pays for, and keeps gRPC loaded.
// Errors:    kInvalidArgument for TLS files that do not fit, kUnavailable
//            where the address cannot be bound.
#ifndef LLM_SERVER_GRPC_GRPC_SERVER_H_
#define LLM_SERVER_GRPC_GRPC_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "adapters/core/clock.h"
#include "server/core/chat_service.h"
#include "server/core/door_limits.h"
#include "server/core/event_loop.h"
#include "server/core/side_thread.h"

namespace llm::server {

// PEM text, not file names.
struct GrpcTls {
  std::string certificate;
  std::string private_key;
  std::string client_ca;  // set: clients must show a certificate of this CA
};

struct GrpcServerOptions {
  // "127.0.0.1:9004"; port 0 takes a free one.
  std::string listen;
  // Empty certificate: plain text.
  GrpcTls tls;
  // Larger messages are refused as RESOURCE_EXHAUSTED, `body_too_large`; by
  // gRPC itself and without the detail where they are larger by a quarter.
  int64_t max_message_bytes = int64_t{32} << 20;
  DoorLimits limits;
  // Serves AdminService as well.
  bool admin = false;
  // More calls on one connection wait at the client.
  int max_streams_per_connection = 4096;
  // What gRPC may hold for all connections of this server, before and after
  // their callers are known; beyond it, reads slow down. At least two of the
  // largest messages are let in.
  int64_t memory_bytes = int64_t{2} << 30;
  // Zero: a thread waits for this server's events. More: they are looked for
  // so often, by a thread that sleeps in between, and waited for only as long
  // after each. For listeners with few calls: every thread that waits takes
  // part in the polling of all gRPC servers of the process, and each event
  // may wake one for another.
  absl::Duration look_every = absl::ZeroDuration();
  // Reads large requests; null: the loops do.
  SideThread* reader = nullptr;
};

// A loop and the gateway that lives on it.
struct GrpcLane {
  EventLoop* loop = nullptr;
  ChatService* service = nullptr;
};

class GrpcServer {
 public:
  // Listens and accepts at once; health answers NOT_SERVING until
  // SetServing(true). Calls go round the lanes, of which there is at least
  // one.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(
      const GrpcServerOptions& options, const std::vector<GrpcLane>& lanes,
      const Clock& clock);
  ~GrpcServer();  // Shutdown(zero)
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  int port() const;
  // What health checks hear, for "" and for the server's services of ours.
  void SetServing(bool serving);
  // Health turns NOT_SERVING, no call is accepted any more, calls in flight
  // have `grace` to end. Then the rest is cancelled and told `overloaded`, has
  // limits.farewell to take that, and is cut. Once; later calls do nothing and
  // say the same. True when all are over; false when some would not end in
  // limits.abandon: then the server is never given back, and its loops must not
  // be either.
  bool Shutdown(absl::Duration grace);
  // From any thread: calls have no more time, in a Shutdown under way or later.
  void Hurry();

 private:
  class Parts;
  explicit GrpcServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
  enum class Ended { kNot, kClean, kStuck };
  Ended ended_ = Ended::kNot;
};

}  // namespace llm::server

#endif  // LLM_SERVER_GRPC_GRPC_SERVER_H_
