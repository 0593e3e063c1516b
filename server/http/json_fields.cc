#include "server/http/json_fields.h"

#include "absl/strings/str_cat.h"
#include "router/call_error.h"

namespace llm::server {

std::string JsonPath::ToString() const {
  const std::string before = parent_ == nullptr ? "" : parent_->ToString();
  if (index_ >= 0) return absl::StrCat(before, "[", index_, "]");
  return absl::StrCat(before, before.empty() ? "" : ".", ToAbsl(name_));
}

absl::Status BadField(const JsonPath& path, std::string_view problem) {
  const std::string where = path.ToString();
  return RefuseCall(absl::StatusCode::kInvalidArgument, "invalid_request",
                    absl::StrCat(where.empty() ? "the body" : where, " ",
                                 ToAbsl(problem), "."),
                    where);
}

}  // namespace llm::server
