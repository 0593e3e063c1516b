// The two status macros of the house. Recent Abseil ships ABSL_ versions;
// delete these when our baseline has them.
//
// Inside a coroutine use the LLM_CO_ forms.
#ifndef LLM_ADAPTERS_CORE_STATUS_MACROS_H_
#define LLM_ADAPTERS_CORE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define LLM_RETURN_IF_ERROR(expr)              \
  do {                                         \
    absl::Status llm_status_ = (expr);         \
    if (!llm_status_.ok()) return llm_status_; \
  } while (false)

#define LLM_CO_RETURN_IF_ERROR(expr)              \
  do {                                            \
    absl::Status llm_status_ = (expr);            \
    if (!llm_status_.ok()) co_return llm_status_; \
  } while (false)

#define LLM_MACRO_JOIN_INNER_(a, b) a##b
#define LLM_MACRO_JOIN_(a, b) LLM_MACRO_JOIN_INNER_(a, b)

#define LLM_ASSIGN_OR_RETURN(lhs, expr) \
  LLM_ASSIGN_OR_(return, LLM_MACRO_JOIN_(llm_or_, __LINE__), lhs, expr)

#define LLM_CO_ASSIGN_OR_RETURN(lhs, expr) \
  LLM_ASSIGN_OR_(co_return, LLM_MACRO_JOIN_(llm_or_, __LINE__), lhs, expr)

#define LLM_ASSIGN_OR_(ret, temp, lhs, expr) \
  auto temp = (expr);                        \
  if (!temp.ok()) ret temp.status();         \
  lhs = std::move(temp).value()

#endif  // LLM_ADAPTERS_CORE_STATUS_MACROS_H_
