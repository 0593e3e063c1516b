#include "clients/cpp/src/connection.h"

#include <grpc/grpc.h>

#include <catch2/catch.hpp>
#include <optional>
#include <string>

namespace llm::client {
namespace {

std::optional<int> Argument(const ClientOptions& options,
                            const std::string& name) {
  const grpc::ChannelArguments arguments = ChannelArgumentsOf(options);
  const grpc_channel_args all = arguments.c_channel_args();
  for (size_t i = 0; i < all.num_args; ++i) {
    if (name == all.args[i].key) return all.args[i].value.integer;
  }
  return std::nullopt;
}

TEST_CASE("Pings come as often as asked, and wait long for their echo",
          "[clients][keepalive]") {
  ClientOptions options;
  options.keep_alive = GENERATE(absl::Seconds(10), absl::Minutes(5));
  CHECK(Argument(options, GRPC_ARG_KEEPALIVE_TIME_MS) ==
        absl::ToInt64Milliseconds(options.keep_alive));
  CHECK(Argument(options, GRPC_ARG_KEEPALIVE_TIMEOUT_MS) == 20'000);
  CHECK(Argument(options, GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS) == 1);
}

TEST_CASE("An infinite keep-alive is none", "[clients][keepalive]") {
  ClientOptions options;
  options.keep_alive = absl::InfiniteDuration();
  CHECK_FALSE(Argument(options, GRPC_ARG_KEEPALIVE_TIME_MS).has_value());
}

}  // namespace
}  // namespace llm::client
