// data: URLs, for every dialect that sends what they hold.
#include "adapters/dialect/data_url.h"

#include <catch2/catch.hpp>

#include "absl/strings/escaping.h"

namespace llm {
namespace {

// "type content", or the error's words.
std::string ReadUrl(const std::string& url) {
  const auto got = ReadDataUrl(url);
  if (!got.ok()) return std::string(got.status().message());
  std::string content;
  if (!absl::Base64Unescape(got->base64, &content)) return "no base64";
  return got->type + " " + content;
}

TEST_CASE("a data: URL gives its type and content, however it is written",
          "[adapters][dialect][data_url]") {
  const auto [url, want] = GENERATE(table<std::string, std::string>({
      {"data:image/png;base64,QUI=", "image/png AB"},
      {"DATA:Image/PNG;BASE64,QUI=", "image/png AB"},
      {"data:image/png;base64,QUI%3D", "image/png AB"},
      {"data:text/plain,hello%20world", "text/plain hello world"},
      {"data:text/plain;charset=utf-8,a,b", "text/plain a,b"},
      {"data:text/plain,100%", "text/plain 100%"},
      {"data:text/plain,%zz%4", "text/plain %zz%4"},
      {"data:,A", " A"},
      {"data:;base64,QQ==", " A"},
  }));
  CAPTURE(url);
  CHECK(IsDataUrl(url));
  CHECK(ReadUrl(url) == want);
}

TEST_CASE("what is no data: URL, or holds nothing, says so",
          "[adapters][dialect][data_url]") {
  CHECK(ReadUrl("data:image/png;base64") == "not a data: URL");
  CHECK(ReadUrl("https://a/b,c") == "not a data: URL");
  CHECK_FALSE(IsDataUrl("https://a/b,c"));
  CHECK(ReadUrl("data:,") == "the data: URL holds no content");
  CHECK(ReadUrl("data:image/png;base64,") == "the data: URL holds no content");
}

}  // namespace
}  // namespace llm
