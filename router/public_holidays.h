// Days on which a price window does not hold although its weekday fits.
//
// Threads: Pure; any.
// Source:  The State Council's notice for each year, named beside its dates.
//          A year without a notice at hand is unknown, never guessed.
#ifndef LLM_ROUTER_PUBLIC_HOLIDAYS_H_
#define LLM_ROUTER_PUBLIC_HOLIDAYS_H_

#include <string_view>

#include "absl/time/civil_time.h"

namespace llm {

enum class HolidayAnswer { kNo, kYes, kUnknown };

// `calendar` is the price list's word: "chinese_public_holidays". Days off in
// lieu count, days worked in lieu do not. kUnknown for another calendar.
HolidayAnswer HolidayOn(std::string_view calendar, absl::CivilDay day);

}  // namespace llm

#endif  // LLM_ROUTER_PUBLIC_HOLIDAYS_H_
