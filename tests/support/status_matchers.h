// Catch2 matchers for absl::Status and absl::StatusOr:
//   CHECK_THAT(status, IsOk());
//   CHECK_THAT(result, HasCode(absl::StatusCode::kNotFound));
#ifndef LLM_TESTS_SUPPORT_STATUS_MATCHERS_H_
#define LLM_TESTS_SUPPORT_STATUS_MATCHERS_H_

#include <catch2/catch.hpp>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace llm {

// Either kind of result as its status; what the matchers compare.
class StatusView {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): results convert in matches.
  StatusView(const absl::Status& status) : status_(status) {}
  template <typename T>
  // NOLINTNEXTLINE(google-explicit-constructor): results convert in matches.
  StatusView(const absl::StatusOr<T>& result) : status_(result.status()) {}
  const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

// One matcher serves Status and StatusOr<T>: Catch2 2.x matchers are typed by
// their argument, so it converts to the one that is asked for.
class StatusCodeMatcher {
 public:
  explicit StatusCodeMatcher(absl::StatusCode code) : code_(code) {}
  bool match(const StatusView& view) const {
    return view.status().code() == code_;
  }
  std::string toString() const {
    return code_ == absl::StatusCode::kOk
               ? "is OK"
               : "has the code " + absl::StatusCodeToString(code_);
  }

 private:
  absl::StatusCode code_;
};

inline StatusCodeMatcher IsOk() {
  return StatusCodeMatcher(absl::StatusCode::kOk);
}
inline StatusCodeMatcher HasCode(absl::StatusCode code) {
  return StatusCodeMatcher(code);
}

}  // namespace llm

namespace Catch {

template <>
struct StringMaker<absl::Status> {
  static std::string convert(const absl::Status& status) {
    return status.ToString();
  }
};

template <typename T>
struct StringMaker<absl::StatusOr<T>> {
  static std::string convert(const absl::StatusOr<T>& result) {
    return result.status().ToString();
  }
};

}  // namespace Catch

#endif  // LLM_TESTS_SUPPORT_STATUS_MATCHERS_H_
