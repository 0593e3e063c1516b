#include "server/http/render_service.h"

#include <string>
#include <string_view>

namespace llm::server {
namespace {

void WriteCost(const v1::ServiceInfo& info, JsonWriter& json) {
  // Unknown is null, never 0.
  if (!info.has_cost()) {
    json.MemberRaw("cost", "null");
    return;
  }
  json.Key("cost");
  json.BeginObject();
  json.Member("amount", info.cost().amount());
  json.Member("currency", info.cost().currency());
  json.EndObject();
}

}  // namespace

void WriteService(const v1::ServiceInfo& info, JsonWriter& json) {
  json.Key("llm_service");
  json.BeginObject();
  json.Member("request_id", info.request_id());
  json.Member("model", info.model());
  json.Member("provider", info.provider());
  json.Member("task_type", info.task_type());
  json.MemberInt("attempts", info.attempts());
  json.Member("reason", info.reason());
  WriteCost(info, json);
  json.Member("usage_source",
              info.usage_source().empty() ? "none" : info.usage_source());
  if (!info.warning().empty()) json.Member("warning", info.warning());
  if (!info.dropped().empty()) {
    json.Key("dropped");
    json.BeginArray();
    for (const std::string& name : info.dropped()) json.String(name);
    json.EndArray();
  }
  if (info.cached_inputs() > 0) {
    json.MemberInt("cached_inputs", info.cached_inputs());
  }
  json.MemberInt("overhead_us", info.overhead_us());
  json.EndObject();
}

}  // namespace llm::server
