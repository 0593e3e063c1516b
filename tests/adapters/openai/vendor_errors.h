// Rows of (profile, HTTP status, body) and the class they come to [RTY-2].
#ifndef LLM_TESTS_ADAPTERS_OPENAI_VENDOR_ERRORS_H_
#define LLM_TESTS_ADAPTERS_OPENAI_VENDOR_ERRORS_H_

#include <catch2/catch.hpp>
#include <string>

#include "adapters/openai/error_table.h"

namespace llm::openai {

using enum FailureClass;

struct ErrorRow {
  std::string profile;
  int status;
  std::string body;
  FailureClass want;
};

inline void CheckError(const ErrorRow& row) {
  CAPTURE(row.profile, row.status, row.body);
  const auto doc = JsonDocument::Parse(row.body);
  // Inside a 200 only what is recognisable as an error is one.
  ErrorWords words;
  if (row.status == 200) {
    REQUIRE(doc.ok());
    const auto found = FindError(doc->root());
    REQUIRE(found.has_value());
    words = *found;
  } else {
    words = ReadErrorBody(row.body);
  }
  CHECK(FailureClassName(ClassifyError(FindProfile(row.profile), row.status,
                                       words)) == FailureClassName(row.want));
}

inline std::string Code(const std::string& code, const std::string& type = "",
                        const std::string& message = "m") {
  return R"({"error":{"message":")" + message + R"(","type":")" + type +
         R"(","param":null,"code":")" + code + R"("}})";
}

inline std::string Type(const std::string& type,
                        const std::string& message = "m") {
  return R"({"error":{"type":")" + type + R"(","message":")" + message +
         R"("}})";
}

inline std::string BaseResp(int code) {
  return R"({"base_resp":{"status_code":)" + std::to_string(code) +
         R"(,"status_msg":"m"}})";
}

}  // namespace llm::openai

#endif  // LLM_TESTS_ADAPTERS_OPENAI_VENDOR_ERRORS_H_
