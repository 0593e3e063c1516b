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

#include <limits>
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
  kObjectSwitch,    // reasoning: {enabled}; the effort is dropped
  kAlwaysOn,        // nothing to send; "off" is dropped and named
  kLevelOnly,       // always on; reasoning_effort says how much
};

// What happens to reasoning in the history [TRN-3].
enum class ReasoningReplay {
  kForward,        // sent as reasoning_content, as it came
  kStrip,          // never sent
  kEcho,           // sent unless switched off; "" where tool calls have none
  kThinkTags,      // sent as <think>…</think> at the start of the content
  kDetails,        // sent back as the maker's own reasoning_details only
  kDetailsOrTags,  // kDetails where there are any, else kThinkTags
};

// Which tool_choice values are taken; others become "auto" and are named.
enum class ToolChoiceRule {
  kAll,
  kNotWhenThinking,       // auto and none while thinking, all otherwise
  kNamedWhenNotThinking,  // never "required"; a name only without thinking
  kAutoOrNone,
  kAutoOnly,     // instead of "none" the tools are withheld
  kUnsupported,  // the field is not sent
};

// What a request for JSON means where tools are offered, or in a stream.
enum class FormatRule {
  kFree,
  // A schema is neither streamed nor combined with tools.
  kWholeWithoutTools,
};

enum class AuthStyle { kBearer, kApiKeyHeader };

// Models of one vendor that treat reasoning in their own way.
struct ModelKind {
  std::string_view pattern;  // '*' stands for any run of characters
  ReasoningStyle style;
  // Unset: the vendor's.
  std::optional<ReasoningReplay> replay = std::nullopt;
  // The values of reasoning_effort that are taken; another becomes the
  // nearest. Empty: all.
  std::span<const std::string_view> levels = {};
  // Fields that these models refuse beside the vendor's list.
  std::span<const std::string_view> dropped = {};
  // Refuses sampling fields, where the model's traits do not say.
  bool refuses_sampling = false;
  // Members that requests to these models carry, as a JSON object.
  std::string_view constants = {};
};

// One field under another name: {"user", "user_id"}.
struct Rename {
  std::string_view from;
  std::string_view to;
  // A text of another length is refused there, so it is not sent; 0: any.
  size_t min_chars = 0;
  size_t max_chars = 0;
};

// Temperatures that are taken. What lies beyond becomes the nearest and is
// named; for zero some vendors have a spelling of their own.
struct TemperatureRule {
  // Unless a page says so, the vendor is the one to judge.
  double max = std::numeric_limits<double>::infinity();
  // Members sent instead of temperature 0, as a JSON object; empty: none.
  std::string_view instead_of_zero = {};
  // They mean the same; otherwise they are a nearest value, and named.
  bool zero_is_met = false;
};

// Where the vendor can be reached: fills a BuiltInProvider.
struct Site {
  std::string_view id;
  std::string_view base_url;
  // Empty: no key is needed.
  std::string_view key_variable;
  // Tried where the first is not set.
  std::string_view other_key_variable = {};
  std::string_view currency = "USD";
  std::string_view price_provider = {};
  bool on_by_default = false;
  // Nobody answers there without a key.
  bool needs_key = true;
  // Holds the base URL where each customer has one.
  std::string_view base_url_variable = {};
};

// Defaults are the plain dialect: any server that speaks OpenAI's chat
// completions, of which nothing is known.
struct Profile {
  std::string_view id = {};
  // Rows of error_table.cc with this vendor apply; empty: general rows only.
  std::string_view error_vendor = {};
  TokenCap token_cap = TokenCap::kAsSent;
  // The cap is over reasoning and answer together, by the vendor's page.
  bool cap_covers_reasoning = false;
  StreamUsage stream_usage = StreamUsage::kIncludeUsage;
  // Unary calls are streamed upstream.
  bool stream_unary = false;
  // Streams are padded unless include_obfuscation:false is sent.
  bool pads_streams = false;
  // Role `developer` is known; otherwise it becomes `system`.
  bool developer_role = true;
  ReasoningStyle reasoning = ReasoningStyle::kForward;
  std::span<const std::string_view> levels = {};  // as ModelKind's
  // First match wins over `reasoning`, `replay` and `levels`.
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
  // Schemas of tools may hold $schema.
  bool schema_uri = true;
  FormatRule format_rule = FormatRule::kFree;
  // Arrays of text parts are written as one string.
  bool flatten_text = false;
  bool message_names = true;
  // Ids of tool calls are mapped to nine letters and digits.
  bool short_call_ids = false;
  // Tool results say the name of their function.
  bool named_results = false;
  // Assistant messages hold content, tool calls and prefix, and nothing else.
  bool plain_messages = false;
  // Files are {"type":"document_url"} with a link or a data URI.
  bool document_urls = false;
  // Set to true on an assistant message that comes last.
  std::string_view prefill_flag = {};
  // Sent as parallel_tool_calls:true where tools are and the caller said
  // nothing, since the vendor's own default is false.
  bool explicit_parallel_calls = false;
  // Metadata is only taken together with store:true.
  bool metadata_needs_store = false;
  int max_stop = 0;  // 0: no limit known
  TemperatureRule temperature = {};
  // The values of service_tier that are taken; empty: all, if the field is.
  std::span<const std::string_view> service_tiers = {};
  // Streams with tools need tool_stream:true to hand out arguments as they
  // come, on models of these patterns.
  std::span<const std::string_view> tool_stream_models = {};
  // Of OpenAI's fields only those that everybody has, and those in
  // `extra_fields`, are taken (see IsOpenAiOnly).
  bool core_fields_only = false;
  // True: `extra_fields` is the whole list of vendor fields it knows; false:
  // everything is forwarded.
  bool checks_extra_fields = true;
  // Fields that IsVendorField knows and this vendor takes.
  std::span<const std::string_view> extra_fields = {};
  // Top-level fields it does not take: dropped and named.
  std::span<const std::string_view> dropped = {};
  std::span<const Rename> renames = {};
  // Members that every request carries, as a JSON object; the caller's own
  // win.
  std::string_view constants = {};
  AuthStyle auth = AuthStyle::kBearer;
  // GET {base}/models exists and costs nothing.
  bool models_list = true;
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

// The first kind that fits; null: the vendor's own ways.
const ModelKind* FindKind(const Profile& profile,
                          std::string_view upstream_model);

// The style for one model of a vendor.
ReasoningStyle ReasoningStyleFor(const Profile& profile,
                                 std::string_view upstream_model);

// What happens to reasoning in the history for one model of a vendor.
ReasoningReplay ReasoningReplayFor(const Profile& profile,
                                   std::string_view upstream_model);

// Whether a model of this vendor takes a top-level field of OpenAI's.
bool TakesField(const Profile& profile, std::string_view upstream_model,
                std::string_view name);

// True for a field that some vendor added to the dialect, and that a server
// which does not know it may refuse.
bool IsVendorField(std::string_view name);

// True for a field that OpenAI has and compatible servers mostly lack.
bool IsOpenAiOnly(std::string_view name);

// '*' in the pattern stands for any run of characters.
bool MatchesPattern(std::string_view pattern, std::string_view text);

}  // namespace llm::openai

#endif  // LLM_ADAPTERS_OPENAI_PROFILES_H_
