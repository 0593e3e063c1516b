// The built-in models: which provider serves what under which name, and what
// each can do. Windows and limits that the price list knows are taken from
// there.
//
// Threads: Immutable tables; share freely.
// Fact:    Providers' pages as read in November 2026; see catalog.cc.
#ifndef LLM_SERVER_CONFIG_CATALOG_H_
#define LLM_SERVER_CONFIG_CATALOG_H_

#include <string>
#include <string_view>
#include <vector>

#include "adapters/core/provider.h"

namespace llm::server {

// The models' usual word in the tables.
inline constexpr auto kAsAsked = ReasoningSwitch::kAsAsked;

struct CatalogModel {
  std::string_view id;
  // The id upstream; empty: the same.
  std::string_view upstream;
  ReasoningSwitch reasoning = ReasoningSwitch::kAsAsked;
  // One letter per capability; see TraitsOf.
  std::string_view can;
  std::vector<std::string_view> aliases;
  // Where the price list has none.
  int64_t context_window = 0;
  int64_t max_output_tokens = 0;
};

// The models of a built-in provider, in the order they are listed; empty for
// providers without a catalog.
const std::vector<CatalogModel>& CatalogOf(std::string_view provider);

// Null if no built-in provider offers `id`.
const CatalogModel* FindInCatalog(std::string_view id);

ModelTraits TraitsOf(const CatalogModel& model);

// Models for built-in tasks, best first: quick ones for the everyday tiers,
// deep ones for the decisions that carry a run.
const std::vector<std::string_view>& QuickPreference();
const std::vector<std::string_view>& DeepPreference();

}  // namespace llm::server

#endif  // LLM_SERVER_CONFIG_CATALOG_H_
