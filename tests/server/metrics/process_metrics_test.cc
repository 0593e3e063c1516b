#include "server/metrics/process_metrics.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

namespace llm::server {
namespace {

// proc(5): pid, name, state, then numbers; 14 and 15 are the processor's
// ticks, 22 the start, 23 the size, 24 the resident pages.
std::string Stat(const std::string& name) {
  return "42 (" + name +
         ") S 1 2 3 4 5 6 7 8 9 10 150 50 13 14 15 16 17 18 1000 4096 3 21\n";
}

TEST_CASE("A process's time and memory are read from its stat",
          "[metrics][process]") {
  // Whoever starts a process names it.
  const std::string name =
      GENERATE(as<std::string>(), "llm-service", "a b", "a) S 9 9 (9", ")");
  CAPTURE(name);
  const auto stat = ParseProcessStat(Stat(name), 100, 4096);
  REQUIRE(stat.has_value());
  CHECK(stat->cpu_seconds == 2.0);
  CHECK(stat->start_after_boot_seconds == 10.0);
  CHECK(stat->virtual_bytes == 4096);
  CHECK(stat->resident_bytes == 3 * 4096);
}

TEST_CASE("A stat that is cut or is none gives nothing", "[metrics][process]") {
  const std::string text =
      GENERATE(as<std::string>(), "", "42 (name", "42 ()", "42 (name) S 1 2 3",
               "42 (n) S 1 2 3 4 5 6 7 8 9 10 x 50 13 14 "
               "15 16 17 18 1000 4096 3 21");
  CAPTURE(text);
  CHECK_FALSE(ParseProcessStat(text, 100, 4096).has_value());
}

TEST_CASE("This process has memory, files and a start that does not move",
          "[metrics][process]") {
  std::vector<prometheus::MetricFamily> first;
  AddProcess(&first);
  std::vector<prometheus::MetricFamily> second;
  AddProcess(&second);
  const auto value = [](const std::vector<prometheus::MetricFamily>& families,
                        const std::string& name) {
    const auto found = std::find_if(
        families.begin(), families.end(),
        [&name](const auto& family) { return family.name == name; });
    REQUIRE(found != families.end());
    REQUIRE(found->metric.size() == 1);
    return found->type == prometheus::MetricType::Counter
               ? found->metric[0].counter.value
               : found->metric[0].gauge.value;
  };
  CHECK(value(first, "process_resident_memory_bytes") > 0);
  CHECK(value(first, "process_virtual_memory_bytes") > 0);
  CHECK(value(first, "process_cpu_seconds_total") >= 0);
  CHECK(value(first, "process_open_fds") >= 3);
  CHECK(value(first, "process_max_fds") >= value(first, "process_open_fds"));
  CHECK(value(first, "process_start_time_seconds") > 1.7e9);
  CHECK(value(first, "process_start_time_seconds") ==
        value(second, "process_start_time_seconds"));
}

}  // namespace
}  // namespace llm::server
