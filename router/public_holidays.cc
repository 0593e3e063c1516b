#include "router/public_holidays.h"

#include <algorithm>
#include <iterator>

namespace llm {
namespace {

// Month and day, both ends off.
struct DaysOff {
  int first_month;
  int first_day;
  int last_month;
  int last_day;
};

// https://www.gov.cn/zhengce/content/202511/content_7047090.htm of 2025-11-04,
// read 2026-11-27.
constexpr DaysOff kChina2026[] = {
    {1, 1, 1, 3},    // New Year
    {2, 15, 2, 23},  // Spring Festival
    {4, 4, 4, 6},    // Qingming
    {5, 1, 5, 5},    // Labour Day
    {6, 19, 6, 21},  // Dragon Boat Festival
    {9, 25, 9, 27},  // Mid-Autumn Festival
    {10, 1, 10, 7},  // National Day
};

}  // namespace

HolidayAnswer HolidayOn(std::string_view calendar, absl::CivilDay day) {
  if (calendar != "chinese_public_holidays" || day.year() != 2026) {
    return HolidayAnswer::kUnknown;
  }
  const bool off = std::any_of(
      std::begin(kChina2026), std::end(kChina2026), [day](const DaysOff& days) {
        return absl::CivilDay(2026, days.first_month, days.first_day) <= day &&
               day <= absl::CivilDay(2026, days.last_month, days.last_day);
      });
  return off ? HolidayAnswer::kYes : HolidayAnswer::kNo;
}

}  // namespace llm
