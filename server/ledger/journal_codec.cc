#include "server/ledger/journal_codec.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include "server/ledger/crc32c.h"

namespace llm::server {
namespace {

constexpr char kFormat = 1;

// The lists of fields: written once, used by Encoder and Decoder alike.

template <typename A, typename V>
void Fields(A& a, V& v, std::type_identity<CallIdentity>) {
  a(v.request_id.value), a(v.org), a(v.team), a(v.user), a(v.end_user);
  a(v.key_id.value), a(v.run_id), a(v.agent), a(v.task_type);
  a(v.task_source), a(v.symbol), a(v.trace_id), a(v.variant), a(v.door);
  a(v.client_request_id);
}

template <typename A, typename V>
void Fields(A& a, V& v, std::type_identity<AttemptIntent>) {
  a(v.attempt_id.value), a(v.identity), a(v.role), a(v.ordinal);
  a(v.provider.value), a(v.deployment), a(v.public_model.value);
  a(v.upstream_model.value), a(v.started);
}

template <typename A, typename V>
void Fields(A& a, V& v, std::type_identity<TokenUsage>) {
  a(v.fresh_input), a(v.cache_read), a(v.cache_write_5m);
  a(v.cache_write_1h), a(v.cache_read_explicit), a(v.output);
  a(v.reasoning), a(v.audio_input), a(v.audio_cache_read);
  a(v.audio_output), a(v.image_input), a(v.accepted_prediction);
  a(v.rejected_prediction), a(v.service_tier), a(v.reported_cost);
  a(v.video_input), a(v.web_searches), a(v.geo), a(v.image_cache_read);
}

template <typename A, typename V>
void Fields(A& a, V& v, std::type_identity<Money>) {
  a(v.currency.code), a(v.pico);
}

template <typename A, typename V>
void Fields(A& a, V& v, std::type_identity<AttemptRecord>) {
  a(v.intent), a(v.duration), a(v.time_to_first_content), a(v.outcome);
  a(v.http_status), a(v.upstream_code), a(v.served_model.value);
  a(v.provider_request_id), a(v.usage), a(v.usage_source);
  a.LongText(v.raw_usage_json), a(v.cost), a(v.price_status);
  a(v.price_version), a(v.price_degraded), a(v.reason), a(v.next);
  a(v.dropped), a(v.streamed_upstream);
}

template <typename A, typename V>
void Fields(A& a, V& v, std::type_identity<RequestRecord>) {
  a(v.identity), a(v.started), a(v.duration), a(v.outcome);
  a(v.http_status), a(v.requested_model.value), a(v.public_model.value);
  a(v.provider.value), a(v.attempts), a(v.stream), a(v.usage);
  a(v.usage_source), a(v.cost), a(v.unpriced), a(v.config_version);
  a(v.reason), a.LongText(v.metadata_json);
}

// The last value of each enum: the decoder refuses what lies beyond.
constexpr int LastOf(std::type_identity<AttemptRole>) {
  return static_cast<int>(AttemptRole::kProbe);
}
constexpr int LastOf(std::type_identity<UsageSource>) {
  return static_cast<int>(UsageSource::kEstimated);
}

void PutVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

void PutU32(uint32_t value, char* at) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<char>(value >> (8 * i));
}

uint32_t GetU32(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) {
    value |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + i]))
             << (8 * i);
  }
  return value;
}

class Encoder {
 public:
  explicit Encoder(std::string* out) : out_(out) {}

  void operator()(const std::string& v) { Text(v, kMaxTextBytes); }
  void LongText(const std::string& v) { Text(v, kMaxRawUsageBytes); }
  void operator()(bool v) { PutVarint(v ? 1 : 0, out_); }
  void operator()(int v) { (*this)(int64_t{v}); }
  void operator()(int64_t v) {  // zigzag: small negatives stay small
    PutVarint((static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63),
              out_);
  }
  void operator()(absl::Time v) { (*this)(absl::ToUnixMicros(v)); }
  void operator()(absl::Duration v) { (*this)(absl::ToInt64Microseconds(v)); }
  template <typename T>
  void operator()(const std::optional<T>& v) {
    (*this)(v.has_value());
    if (v) (*this)(*v);
  }
  template <typename T>
  void operator()(const std::vector<T>& v) {
    PutVarint(v.size(), out_);
    for (const T& item : v) (*this)(item);
  }
  template <typename T>
  void operator()(const T& v) {
    if constexpr (std::is_enum_v<T>) {
      (*this)(static_cast<int>(v));
    } else {
      Nested(v);
    }
  }

 private:
  void Text(std::string_view v, size_t limit) {
    const size_t size = std::min(v.size(), limit);
    PutVarint(size, out_);
    out_->append(v.data(), size);
  }

  // The length goes in front as four bytes (a padded varint), since it is
  // known only afterwards; 256 MB is more than any struct can reach.
  template <typename T>
  void Nested(const T& v) {
    const size_t start = out_->size();
    out_->append(4, '\0');
    Fields(*this, v, std::type_identity<T>());
    const size_t size = out_->size() - start - 4;
    for (size_t i = 0; i < 4; ++i) {
      const size_t more = i < 3 ? 0x80 : 0;
      (*out_)[start + i] = static_cast<char>(((size >> (7 * i)) & 0x7F) | more);
    }
  }

  std::string* out_;
};

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : left_(bytes) {}
  bool ok() const { return ok_; }

  void operator()(std::string& v) { Text(v); }
  void LongText(std::string& v) { Text(v); }
  void operator()(bool& v) {
    if (!AtEnd()) v = Varint() != 0;
  }
  void operator()(int& v) {
    int64_t wide = v;
    (*this)(wide);
    v = static_cast<int>(wide);
  }
  void operator()(int64_t& v) {
    if (AtEnd()) return;
    const uint64_t raw = Varint();
    v = static_cast<int64_t>(raw >> 1) ^ -static_cast<int64_t>(raw & 1);
  }
  void operator()(absl::Time& v) {
    int64_t micros = absl::ToUnixMicros(v);
    (*this)(micros);
    v = absl::FromUnixMicros(micros);
  }
  void operator()(absl::Duration& v) {
    int64_t micros = absl::ToInt64Microseconds(v);
    (*this)(micros);
    v = absl::Microseconds(micros);
  }
  template <typename T>
  void operator()(std::optional<T>& v) {
    bool present = false;
    (*this)(present);
    if (present) (*this)(v.emplace());
  }
  template <typename T>
  void operator()(std::vector<T>& v) {
    if (AtEnd()) return;
    const uint64_t count = Varint();
    // Every item takes a byte at least: a greater count is damage.
    if (count > left_.size()) ok_ = false;
    for (uint64_t i = 0; ok_ && i < count; ++i) (*this)(v.emplace_back());
  }
  template <typename T>
  void operator()(T& v) {
    if constexpr (std::is_enum_v<T>) {
      int number = static_cast<int>(v);
      (*this)(number);
      if (number < 0 || number > LastOf(std::type_identity<T>())) {
        ok_ = false;
      } else {
        v = static_cast<T>(number);
      }
    } else {
      Nested(v);
    }
  }

  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (left_.empty()) break;
      const auto byte = static_cast<unsigned char>(left_.front());
      left_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }

  std::string_view Slice() {
    const uint64_t size = Varint();
    if (size > left_.size()) ok_ = false;
    const std::string_view slice = left_.substr(0, ok_ ? size : 0);
    left_.remove_prefix(slice.size());
    return slice;
  }

 private:
  // A struct that ends early was written by an older release.
  bool AtEnd() const { return !ok_ || left_.empty(); }

  void Text(std::string& v) {
    if (!AtEnd()) v = std::string(Slice());
  }

  template <typename T>
  void Nested(T& v) {
    if (AtEnd()) return;
    Decoder inner(Slice());
    Fields(inner, v, std::type_identity<T>());
    ok_ = ok_ && inner.ok();
  }

  std::string_view left_;
  bool ok_ = true;
};

template <typename T>
void DecodeEntry(Decoder& decoder, std::vector<LedgerEntry>* entries) {
  decoder(std::get<T>(entries->emplace_back(std::in_place_type<T>)));
}

bool DecodePayload(std::string_view payload,
                   std::vector<LedgerEntry>* entries) {
  if (payload.empty() || payload.front() != kFormat) return false;
  Decoder decoder(payload.substr(1));
  const uint64_t count = decoder.Varint();
  for (uint64_t i = 0; i < count && decoder.ok(); ++i) {
    switch (decoder.Varint()) {
      case 0:
        DecodeEntry<AttemptIntent>(decoder, entries);
        break;
      case 1:
        DecodeEntry<AttemptRecord>(decoder, entries);
        break;
      case 2:
        DecodeEntry<RequestRecord>(decoder, entries);
        break;
      default:
        return false;
    }
  }
  return decoder.ok();
}

}  // namespace

void EncodeFrame(absl::Span<const LedgerEntry> entries, std::string* out) {
  const size_t start = out->size();
  out->append(kFrameHeaderBytes, '\0');
  out->push_back(kFormat);
  PutVarint(entries.size(), out);
  Encoder encoder(out);
  for (const LedgerEntry& entry : entries) {
    PutVarint(entry.index(), out);
    std::visit([&encoder](const auto& value) { encoder(value); }, entry);
  }
  const std::string_view payload =
      std::string_view(*out).substr(start + kFrameHeaderBytes);
  PutU32(static_cast<uint32_t>(payload.size()), out->data() + start);
  PutU32(Crc32c(payload), out->data() + start + 4);
}

DecodedFrame DecodeFrame(std::string_view bytes) {
  DecodedFrame frame;
  static_cast<FrameFacts&>(frame) = DecodeFrame(bytes, &frame.entries);
  return frame;
}

FrameFacts DecodeFrame(std::string_view bytes,
                       std::vector<LedgerEntry>* entries) {
  FrameFacts frame;
  if (bytes.size() < kFrameHeaderBytes) return frame;
  const size_t size = GetU32(bytes, 0);
  if (size > kMaxFrameBytes) {
    // Nothing says where the next frame starts: the rest is unreadable.
    frame.state = FrameState::kDamaged;
    frame.bytes = bytes.size();
    return frame;
  }
  if (bytes.size() < kFrameHeaderBytes + size) return frame;
  frame.bytes = kFrameHeaderBytes + size;
  const std::string_view payload = bytes.substr(kFrameHeaderBytes, size);
  const size_t before = entries->size();
  if (Crc32c(payload) == GetU32(bytes, 4) && DecodePayload(payload, entries)) {
    frame.state = FrameState::kWhole;
  } else {
    frame.state = FrameState::kDamaged;
    entries->erase(entries->begin() + static_cast<std::ptrdiff_t>(before),
                   entries->end());
  }
  return frame;
}

}  // namespace llm::server
