#include "server/core/clean_text.h"

#include <catch2/catch.hpp>
#include <string>

#include "adapters/core/json.h"
#include "llm/v1/chat.pb.h"
#include "llm/v1/usage.pb.h"

namespace llm::server {
namespace {

TEST_CASE("Broken text is replaced at any depth, also in lists and maps",
          "[server][utf8]") {
  v1::ChatCompletionResponse response;
  v1::Message* message = response.add_choices()->mutable_message();
  message->set_content("a\xff");
  message->add_parts()->mutable_reasoning()->set_text("\xed\xa0\xbd");
  response.mutable_llm_service()->add_dropped("ok");
  response.mutable_llm_service()->add_dropped("b\xc3");
  CleanText(&response);
  CHECK(message->content() == "a\uFFFD");
  CHECK(IsValidUtf8(message->parts(0).reasoning().text()));
  CHECK(response.llm_service().dropped(0) == "ok");
  CHECK(response.llm_service().dropped(1) == "b\uFFFD");
  // What protobuf itself would refuse to read.
  v1::ChatCompletionResponse again;
  CHECK(again.ParseFromString(response.SerializeAsString()));

  v1::GetUsageResponse usage;
  (*usage.add_groups()->mutable_keys())["user"] = "\xff";
  CleanText(&usage);
  CHECK(usage.groups(0).keys().at("user") == "\uFFFD");
}

TEST_CASE("Good text and raw bytes are left alone", "[server][utf8]") {
  v1::Message message;
  message.set_content("gr\u00fc\u00df \U0001f600");
  message.add_parts()->mutable_media()->set_data("\xff\xfe");
  const std::string before = message.SerializeAsString();
  CleanText(&message);
  CHECK(message.SerializeAsString() == before);
}

}  // namespace
}  // namespace llm::server
