#include "tests/integration/upstream.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "adapters/core/json.h"
#include "adapters/core/json_writer.h"
#include "adapters/core/text.h"
#include "tests/integration/service_client.h"

namespace llm {

Upstream::Upstream(simulator::DefaultAnswer answer)
    : server_(answer, /*keep_log=*/true),
      port_(static_cast<uint16_t>(server_.Listen(0))),
      thread_([this] { server_.Run(); }) {}

Upstream::~Upstream() {
  server_.Stop();
  thread_.join();
}

bool Upstream::Script(std::string_view lane, std::string_view script) {
  const std::string path = absl::StrCat("/_sim/script?lane=", ToAbsl(lane));
  ServiceClient client(port_);
  client.Send(Request("POST", path, "", script));
  return StatusOf(client.ReadAnswer()) == 200;
}

int Upstream::Count(std::string_view lane, std::string_view outcome) {
  ServiceClient client(port_);
  client.Send(
      Request("GET", absl::StrCat("/_sim/log?lane=", ToAbsl(lane)), ""));
  const std::string body = BodyOf(client.ReadAnswer());
  const absl::StatusOr<JsonDocument> log = JsonDocument::Parse(body);
  if (!log.ok()) return -1;
  int count = 0;
  for (JsonValue entry = log->root().First(); entry; entry = entry.Next()) {
    if (entry.Find("outcome").StringOr() == outcome) ++count;
  }
  return count;
}

bool Upstream::WaitForCount(std::string_view lane, std::string_view outcome,
                            int count) {
  const auto patience =
      std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < patience) {
    if (Count(lane, outcome) >= count) return true;
  }
  return false;
}

std::string Upstream::BaseUrl(std::string_view lane) const {
  return absl::StrCat("http://127.0.0.1:", port_, "/lane/", ToAbsl(lane),
                      "/v1");
}

std::string StalledStream() {
  const std::string body =
      "data: {\"id\":\"s\",\"object\":\"chat.completion.chunk\",\"model\":"
      "\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
      "\"content\":\"first\"}}]}\n\n";
  return absl::StrCat(
      R"({"headers":{"content-type":"text/event-stream"},"body":)",
      JsonQuote(body), R"(,"stall_after":)", body.size(), "}");
}

}  // namespace llm
