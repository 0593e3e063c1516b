// What sets one OpenAI-compatible vendor apart from the plain dialect when a
// request is written: one row per vendor, nothing else knows vendors by name.
//
// The answer side needs no profile: one lenient decoder reads everybody.
// Adding a vendor is one row in profiles.cc, with page and date.
//
// Threads:   Constant data.
// Ownership: Every view points at static data.
#ifndef LLM_ADAPTERS_OPENAI_PROFILES_H_
#define LLM_ADAPTERS_OPENAI_PROFILES_H_

#include <optional>
#include <span>
#include <string_view>

namespace llm::openai {

// The one name under which the token limit is sent.
enum class TokenCap { kAsSent, kMaxTokens, kMaxCompletionTokens };

// How a stream is made to carry usage.
enum class StreamUsage {
  kIncludeUsage,  // ask with stream_options.include_usage
  kAlways,        // always does; stream_options is not sent
};

// How the wish to reason, or not to, is spelled.
enum class ReasoningStyle {
  kForward,         // whatever the caller sent, untouched
  kNone,            // no switch exists; the wish is dropped and named
  kEffort,          // reasoning_effort, "none" to switch off
  kThinking,        // thinking: {type}; the effort is dropped
  kThinkingEffort,  // thinking: {type} and reasoning_effort
  kEnable,          // enable_thinking
  kEnableLevel,     // enable_thinking and reasoning_effort high or max
  kTemplate,        // chat_template_kwargs.enable_thinking, and the effort
  kObject,          // reasoning: {enabled, effort}
  kAlwaysOn,        // nothing to send; "off" is dropped and named
};

// What happens to reasoning in the history [TRN-3].
enum class ReasoningReplay {
  kForward,    // sent as reasoning_content, as it came
  kStrip,      // never sent
  kEcho,       // sent unless switched off; "" where tool calls have none
  kThinkTags,  // sent as <think>…</think> at the start of the content
};

// Which tool_choice values are taken; others become "auto" and are named.
enum class ToolChoiceRule {
  kAll,
  kNotWhenThinking,       // auto and none while thinking, all otherwise
  kNamedWhenNotThinking,  // never "required"; a name only without thinking
  kAutoOrNone,
  kUnsupported,  // the field is not sent
};

enum class AuthStyle { kBearer, kApiKeyHeader };

// Models of one vendor that treat reasoning in their own way.
struct ModelKind {
  std::string_view pattern;  // '*' stands for any run of characters
  ReasoningStyle style;
  // Unset: the vendor's.
  std::optional<ReasoningReplay> replay = std::nullopt;
};

// One field under another name: {"user", "user_id"}.
struct Rename {
  std::string_view from;
  std::string_view to;
};

// Where the vendor can be reached: fills a BuiltInProvider.
struct Site {
  std::string_view id;
  std::string_view base_url;
  // Empty: no key is needed.
  std::string_view key_variable;
  std::string_view currency = "USD";
  std::string_view price_provider = {};
  bool on_by_default = true;
};

// Defaults are the plain dialect: any server that speaks OpenAI's chat
// completions, of which nothing is known.
struct Profile {
  std::string_view id = {};
  // Rows of error_table.cc with this vendor apply; empty: general rows only.
  std::string_view error_vendor = {};
  TokenCap token_cap = TokenCap::kAsSent;
  StreamUsage stream_usage = StreamUsage::kIncludeUsage;
  // Unary calls are streamed upstream.
  bool stream_unary = false;
  // Streams are padded unless include_obfuscation:false is sent.
  bool pads_streams = false;
  // Role `developer` is known; otherwise it becomes `system`.
  bool developer_role = true;
  ReasoningStyle reasoning = ReasoningStyle::kForward;
  // First match wins over `reasoning` and `replay`.
  std::span<const ModelKind> model_kinds = {};
  // The model reasons when nobody says anything.
  bool thinks_by_default = false;
  // Sampling fields are fine for reasoning models while effort is "none".
  bool sampling_without_reasoning = false;
  ReasoningReplay replay = ReasoningReplay::kForward;
  ToolChoiceRule tool_choice = ToolChoiceRule::kAll;
  // "required" is spelled differently.
  std::string_view required_word = "required";
  bool json_schema = true;
  bool custom_tools = true;
  // Function tools may say strict:true.
  bool strict_tools = true;
  // Arrays of text parts are written as one string.
  bool flatten_text = false;
  bool message_names = true;
  // Ids of tool calls are mapped to nine letters and digits.
  bool short_call_ids = false;
  // Sent as parallel_tool_calls:true where tools are and the caller said
  // nothing, since the vendor's own default is false.
  bool explicit_parallel_calls = false;
  // Metadata is only taken together with store:true.
  bool metadata_needs_store = false;
  int max_stop = 0;  // 0: no limit known
  // True: `extra_fields` is the whole list of vendor fields it knows; false:
  // everything is forwarded.
  bool checks_extra_fields = true;
  // Fields that IsVendorField knows and this vendor takes.
  std::span<const std::string_view> extra_fields = {};
  // Top-level fields it does not take: dropped and named.
  std::span<const std::string_view> dropped = {};
  std::span<const Rename> renames = {};
  // Members that every request carries, as a JSON object.
  std::string_view constants = {};
  AuthStyle auth = AuthStyle::kBearer;
  // Appended to the URL ("?api-version=…").
  std::string_view url_suffix = {};
  // Where the row comes from, and when it was read.
  std::string_view page = {};
  std::string_view date = {};
  // The providers known by name that are made of this row.
  std::span<const Site> sites = {};
};

// The row of that name; the plain dialect for an empty or unknown name.
const Profile& FindProfile(std::string_view id);

// The plain dialect first, then every vendor.
std::span<const Profile> AllProfiles();

// The style for one model of a vendor.
ReasoningStyle ReasoningStyleFor(const Profile& profile,
                                 std::string_view upstream_model);

// What happens to reasoning in the history for one model of a vendor.
ReasoningReplay ReasoningReplayFor(const Profile& profile,
                                   std::string_view upstream_model);

// True for a field that some vendor added to the dialect, and that a server
// which does not know it may refuse.
bool IsVendorField(std::string_view name);

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_PROFILES_H_
