#include "tests/fuzz/http_reading.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <optional>
#include <utility>

namespace llm::fuzz {
namespace {

using Field = std::pair<std::string, std::string>;

std::string Lower(std::string_view text) {
  std::string low(text);
  for (char& c : low) c = static_cast<char>(std::tolower(c & 0xff));
  return low;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

bool IsName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(c & 0xff) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) !=
               std::string_view::npos;
  });
}

bool IsText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

// Digits of `base` at the front of `text`, which are taken off.
std::optional<uint64_t> TakeNumber(std::string_view* text, int base) {
  uint64_t value = 0;
  size_t digits = 0;
  for (; digits < text->size(); ++digits) {
    const char c = static_cast<char>(std::tolower((*text)[digits] & 0xff));
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (base == 10 || c < 'a' || c > 'f')) break;
    if (value > uint64_t{1} << 48) return std::nullopt;
    value = value * static_cast<uint64_t>(base) +
            static_cast<uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  if (digits == 0) return std::nullopt;
  text->remove_prefix(digits);
  return value;
}

class Reader {
 public:
  Reader(std::string_view bytes, const Program& program)
      : rest_(bytes), program_(program) {}

  std::optional<SeenRequest> Next();

 private:
  std::optional<std::string_view> Line();
  bool ReadFields(std::vector<Field>* fields);
  std::optional<Field> ReadField(std::string_view line);
  bool ReadBody(const std::vector<Field>& fields, std::string* body);
  bool ReadChunks(std::string* body);
  bool TakeBytes(uint64_t count, std::string* body);
  std::optional<uint64_t> Length(std::string_view text) const;

  std::string_view rest_;
  const Program program_;
};

std::optional<std::string_view> Reader::Line() {
  const size_t end = rest_.find(program_.bare_lf ? "\n" : "\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view line = rest_.substr(0, end);
  rest_.remove_prefix(end + (program_.bare_lf ? 1 : 2));
  if (program_.bare_lf && line.ends_with('\r')) line.remove_suffix(1);
  if (program_.strict && !IsText(line)) return std::nullopt;
  return line;
}

std::optional<Field> Reader::ReadField(std::string_view line) {
  const size_t colon = line.find(':');
  std::string_view name = line.substr(0, colon);
  const bool whole = colon != std::string_view::npos;
  if (program_.strict && (!whole || !IsName(name))) return std::nullopt;
  if (program_.spaced_names) name = Trim(name);
  return Field(Lower(name), whole ? Trim(line.substr(colon + 1)) : "");
}

bool Reader::ReadFields(std::vector<Field>* fields) {
  while (true) {
    const auto line = Line();
    if (!line) return false;
    if (line->empty()) return true;
    const bool folded = line->front() == ' ' || line->front() == '\t';
    if (folded && program_.strict) return false;
    if (folded && program_.folds && !fields->empty()) {
      fields->back().second += " " + std::string(Trim(*line));
      continue;
    }
    auto field = ReadField(*line);
    if (!field) return false;
    fields->push_back(*std::move(field));
  }
}

bool Reader::TakeBytes(uint64_t count, std::string* body) {
  if (count > rest_.size()) return false;
  body->append(rest_.substr(0, count));
  rest_.remove_prefix(count);
  return true;
}

std::optional<uint64_t> Reader::Length(std::string_view text) const {
  const auto value = TakeNumber(&text, 10);
  if (program_.strict && !text.empty()) return std::nullopt;
  return value;
}

bool Reader::ReadChunks(std::string* body) {
  while (true) {
    auto line = Line();
    if (!line) return false;
    const auto size = TakeNumber(&*line, 16);
    if (!size) return false;
    const std::string_view extension = Trim(*line);
    if (program_.strict && !extension.empty() && extension[0] != ';') {
      return false;
    }
    if (*size == 0) break;
    if (!TakeBytes(*size, body)) return false;
    if (rest_.starts_with("\r\n")) {
      rest_.remove_prefix(2);
    } else if (program_.strict || !rest_.starts_with('\n')) {
      return false;
    } else {
      rest_.remove_prefix(1);
    }
  }
  // Trailers are dropped unread: what counts is where they end.
  while (const auto line = Line()) {
    if (line->empty()) return true;
  }
  return false;
}

bool Reader::ReadBody(const std::vector<Field>& fields, std::string* body) {
  std::vector<std::string> lengths;
  std::vector<std::string> codings;
  for (const auto& [name, value] : fields) {
    if (name == "content-length") lengths.push_back(value);
    if (name == "transfer-encoding") codings.push_back(Lower(value));
  }
  if (program_.strict && lengths.size() + codings.size() > 1) return false;
  const bool chunked = !codings.empty() &&
                       (codings.back() == "chunked" ||
                        (program_.loose_values &&
                         codings.back().find("chunked") != std::string::npos));
  if (program_.strict && !codings.empty() && !chunked) return false;
  const bool by_length = program_.length_wins && !lengths.empty();
  if (chunked && !by_length) return ReadChunks(body);
  if (lengths.empty()) return true;
  const auto length =
      Length(program_.last_length ? lengths.back() : lengths.front());
  return length && TakeBytes(*length, body);
}

std::optional<SeenRequest> Reader::Next() {
  std::optional<std::string_view> line = Line();
  while (line && line->empty()) line = Line();
  if (!line) return std::nullopt;
  const size_t first = line->find(' ');
  const size_t last = line->rfind(' ');
  if (first == std::string_view::npos || first == last) return std::nullopt;
  SeenRequest seen{std::string(line->substr(0, first)),
                   std::string(line->substr(first + 1, last - first - 1)), ""};
  const std::string_view version = line->substr(last + 1);
  if (program_.strict && version != "HTTP/1.1" && version != "HTTP/1.0") {
    return std::nullopt;
  }
  if (program_.strict && !IsName(seen.method)) return std::nullopt;
  std::vector<Field> fields;
  if (!ReadFields(&fields) || !ReadBody(fields, &seen.body)) {
    return std::nullopt;
  }
  return seen;
}

}  // namespace

std::vector<SeenRequest> ReadRequests(std::string_view bytes,
                                      const Program& program) {
  Reader reader(bytes, program);
  std::vector<SeenRequest> requests;
  while (auto request = reader.Next()) requests.push_back(*std::move(request));
  return requests;
}

}  // namespace llm::fuzz
