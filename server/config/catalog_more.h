// The part of the catalog that belongs to vendors which are on by
// configuration only. Internal to catalog.cc.
//
// Threads: Immutable tables; share freely.
#ifndef LLM_SERVER_CONFIG_CATALOG_MORE_H_
#define LLM_SERVER_CONFIG_CATALOG_MORE_H_

#include <string_view>
#include <vector>

#include "server/config/catalog.h"

namespace llm::server {

// Null for a provider that is not of this part.
const std::vector<CatalogModel>* MoreCatalogOf(std::string_view provider);

// Every list of this part.
std::vector<const std::vector<CatalogModel>*> MoreCatalogs();

}  // namespace llm::server

#endif  // LLM_SERVER_CONFIG_CATALOG_MORE_H_
