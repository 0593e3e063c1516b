// CRC-32C (Castagnoli, RFC 3720 appendix B.4): tells a whole journal frame
// from a torn or damaged one. Not a defence against forgery.
//
// Threads: Pure.
#ifndef LLM_SERVER_LEDGER_CRC32C_H_
#define LLM_SERVER_LEDGER_CRC32C_H_

#include <cstdint>
#include <string_view>

namespace llm::server {

uint32_t Crc32c(std::string_view bytes);
// The same where the processor has no instruction for it.
uint32_t Crc32cByTables(std::string_view bytes);

}  // namespace llm::server

#endif  // LLM_SERVER_LEDGER_CRC32C_H_
