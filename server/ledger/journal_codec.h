// Ledger entries as bytes of the journal.
//
// A frame is one append: all its entries or none.
//   u32 length of payload, u32 CRC-32C of payload (both little-endian),
//   payload: u8 format (1), varint entry count, entries.
//   entry: u8 kind (0 intent, 1 attempt, 2 request), varint length, fields.
// Every struct is prefixed by its length and holds its fields in the order of
// the list in journal_codec.cc. New fields go to the end of a struct: a reader
// defaults the fields that are missing and skips the ones it does not know, so
// a journal of the previous release can be adopted and the other way round.
//
// Threads: Pure.
// Units:   Times and durations are microseconds.
#ifndef LLM_SERVER_LEDGER_JOURNAL_CODEC_H_
#define LLM_SERVER_LEDGER_JOURNAL_CODEC_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "router/usage_ledger.h"

namespace llm::server {

inline constexpr size_t kFrameHeaderBytes = 8;
// No append is near this: a longer length field is damage.
inline constexpr size_t kMaxFrameBytes = size_t{64} << 20;
// Texts are cut here, so that no caller can fill the journal with one row.
inline constexpr size_t kMaxTextBytes = 4096;
inline constexpr size_t kMaxRawUsageBytes = 65536;

// Appends one frame to `out`.
void EncodeFrame(absl::Span<const LedgerEntry> entries, std::string* out);

enum class FrameState {
  kWhole,
  kTorn,     // ends within the frame: the writer was killed in mid-write
  kDamaged,  // all bytes are there and are not what was written
};

struct FrameFacts {
  FrameState state = FrameState::kTorn;
  size_t bytes = 0;  // to skip; 0 for kTorn
};
struct DecodedFrame : FrameFacts {
  std::vector<LedgerEntry> entries;
};

// The frame at the start of `bytes`, which is not empty.
DecodedFrame DecodeFrame(std::string_view bytes);
// The same; its entries are made at the end of `entries`.
FrameFacts DecodeFrame(std::string_view bytes,
                       std::vector<LedgerEntry>* entries);

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_JOURNAL_CODEC_H_
