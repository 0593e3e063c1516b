#include "server/metrics/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "server/metrics/metric_families.h"

namespace llm::server {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

std::string ReadAll(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Read once: the kernel computes it anew each time, and it may move by a
// second, which would look like a restart.
double BootTime() {
  static const double boot = [] {
    for (const absl::string_view line :
         absl::StrSplit(ReadAll("/proc/stat"), '\n')) {
      const std::vector<std::string> words = absl::StrSplit(line, ' ');
      double seconds = 0;
      if (words.size() > 1 && words[0] == "btime" &&
          absl::SimpleAtod(words[1], &seconds)) {
        return seconds;
      }
    }
    return 0.0;
  }();
  return boot;
}

int OpenFiles() {
  DIR* directory = opendir("/proc/self/fd");
  if (directory == nullptr) return -1;
  // ".", ".." and the directory itself do not count.
  int files = -3;
  while (readdir(directory) != nullptr) ++files;
  closedir(directory);
  return files;
}

void Add(std::string name, std::string help, MetricType type, double value,
         std::vector<MetricFamily>* families) {
  families->push_back(MakeFamily(std::move(name), std::move(help), type));
  AddValue({}, value, &families->back());
}

void AddStat(const ProcessStat& stat, std::vector<MetricFamily>* families) {
  Add("process_cpu_seconds_total", "Time on a processor, user and system.",
      MetricType::Counter, stat.cpu_seconds, families);
  Add("process_resident_memory_bytes", "Memory in use.", MetricType::Gauge,
      stat.resident_bytes, families);
  Add("process_virtual_memory_bytes", "Address space in use.",
      MetricType::Gauge, stat.virtual_bytes, families);
  if (BootTime() == 0) return;
  Add("process_start_time_seconds", "Start of the process since 1970.",
      MetricType::Gauge, BootTime() + stat.start_after_boot_seconds, families);
}

void AddFiles(std::vector<MetricFamily>* families) {
  const int files = OpenFiles();
  if (files >= 0) {
    Add("process_open_fds", "Open files and sockets.", MetricType::Gauge, files,
        families);
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  Add("process_max_fds", "As many may be open.", MetricType::Gauge,
      static_cast<double>(limit.rlim_cur), families);
}

}  // namespace

std::optional<ProcessStat> ParseProcessStat(std::string_view text,
                                            double ticks_per_second,
                                            double page_bytes) {
  // The name comes in brackets and may hold any byte, brackets too: the fields
  // are counted from the last one. See proc(5); the first here is number 3.
  const size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  text.remove_prefix(name_end + 1);
  const std::vector<std::string> fields = absl::StrSplit(
      absl::string_view(text.data(), text.size()), ' ', absl::SkipWhitespace());
  const auto number = [&fields](size_t field) {
    double value = 0;
    const bool read = field - 3 < fields.size() &&
                      absl::SimpleAtod(fields[field - 3], &value);
    return read ? value : -1;
  };
  const double user = number(14);
  const double system = number(15);
  const double start = number(22);
  const double size = number(23);
  const double pages = number(24);
  if (user < 0 || system < 0 || start < 0 || size < 0 || pages < 0) {
    return std::nullopt;
  }
  return ProcessStat{(user + system) / ticks_per_second,
                     start / ticks_per_second, size, pages * page_bytes};
}

void AddProcess(std::vector<MetricFamily>* families) {
  const std::optional<ProcessStat> stat = ParseProcessStat(
      ReadAll("/proc/self/stat"), static_cast<double>(sysconf(_SC_CLK_TCK)),
      static_cast<double>(sysconf(_SC_PAGESIZE)));
  if (stat.has_value()) AddStat(*stat, families);
  AddFiles(families);
}

}  // namespace llm::server
