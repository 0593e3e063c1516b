#include "router/rank_route.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "adapters/core/text.h"
#include "router/cost_meter.h"

namespace llm {
namespace {

// Products of latency and load that differ by less are equal.
constexpr double kSame = 1.1;
constexpr int64_t kNano = 1'000'000'000;

using Ranks = std::vector<RankedCandidate>;

// 0 ready, 1 nearly used up, 2 out for a while, 3 out until somebody acts.
int Band(const HealthView& view) {
  if (view.ready()) return view.low ? 1 : 0;
  return view.time_heals() ? 2 : 3;
}

// In nanoseconds, which are there already: seconds cost a division of absl's.
double Load(const HealthView& view) {
  if (!view.latency) return std::numeric_limits<double>::infinity();
  return static_cast<double>(absl::ToInt64Nanoseconds(*view.latency)) *
         (view.in_flight + 1);
}

uint64_t Lot(Random* random) { return random == nullptr ? 0 : random->Bits(); }

// Which of two is better: below zero the first, zero for a lot.
int CompareLatency(const HealthView& a, const HealthView& b) {
  if (!a.latency && !b.latency) return a.in_flight - b.in_flight;
  if (!a.latency) return a.in_flight == 0 ? -1 : 1;
  if (!b.latency) return b.in_flight == 0 ? 1 : -1;
  const double x = Load(a);
  const double y = Load(b);
  if (x * kSame < y) return -1;
  return y * kSame < x ? 1 : 0;
}

std::string Measured(const HealthView& view) {
  std::string words =
      view.latency ? ShortDuration(*view.latency) : "no measurement";
  if (view.in_flight > 0) {
    absl::StrAppend(&words, " with ", view.in_flight, " under way");
  }
  return words;
}

std::string FasterWords(const HealthView& best, const HealthView& other,
                        size_t of, bool by_lot) {
  const std::string_view what = !best.latency ? "untried"
                                : by_lot      ? "as fast as another"
                                : of == 2     ? "faster"
                                              : "faster of two drawn";
  return absl::StrCat(ToAbsl(what),
                      of == 2 && !by_lot && best.latency ? " of " : " from ",
                      of, ": ", Measured(best), " against ", Measured(other));
}

// By numbers of their places, on the stack for as many as a plan keeps.
void SortByLoad(Ranks::iterator begin, Ranks::iterator end) {
  constexpr size_t kFew = 16;
  absl::InlinedVector<std::pair<double, size_t>, kFew> loads;
  for (auto it = begin; it != end; ++it) {
    loads.emplace_back(Load(*it->view), loads.size());
  }
  std::sort(loads.begin(), loads.end());
  absl::InlinedVector<RankedCandidate, kFew> sorted;
  for (const auto& [load, place] : loads) {
    sorted.push_back(*(begin + static_cast<std::ptrdiff_t>(place)));
  }
  std::copy(sorted.begin(), sorted.end(), begin);
}

// The best guess first, the others by what they are likely to take.
std::string ByLatency(Random* random, Ranks::iterator begin,
                      Ranks::iterator end) {
  const auto of = static_cast<size_t>(end - begin);
  if (of < 2) return "";
  // Whose time out is over is tried by this one call; Enter sees to that.
  const auto trial = std::find_if(begin, end, [](const RankedCandidate& known) {
    return known.view->trial_due;
  });
  std::string why;
  auto best = trial;
  if (best == end) {
    const size_t first = Lot(random) % of;
    const size_t second = (first + 1 + Lot(random) % (of - 1)) % of;
    best = begin + static_cast<std::ptrdiff_t>(first);
    auto other = begin + static_cast<std::ptrdiff_t>(second);
    const int compared = CompareLatency(*best->view, *other->view);
    const bool swap = compared > 0 || (compared == 0 && Lot(random) % 2 == 1);
    if (swap) std::swap(best, other);
    why = FasterWords(*best->view, *other->view, of, compared == 0);
  } else {
    why = "half-open, this call tries it";
  }
  std::iter_swap(begin, best);
  SortByLoad(begin + 1, end);
  return why;
}

std::optional<absl::int128> Converted(const RouteTable& table,
                                      const Money& cost, absl::Time at) {
  if (cost.currency.code == table.compare_currency) return cost.pico;
  const CompareRate* found = nullptr;
  for (const CompareRate& rate : table.compare_rates) {
    if (rate.from != cost.currency.code || rate.since > at) continue;
    if (found == nullptr || rate.since >= found->since) found = &rate;
  }
  if (found == nullptr) return std::nullopt;
  return absl::int128(cost.pico) * found->nano / kNano;
}

void PriceAll(const PlanInput& input, const TokenUsage& usage,
              RankedRoute* ranked) {
  bool mixed = false;
  std::vector<ComparedCost>& costs = ranked->costs;
  costs.reserve(ranked->order.size());
  for (RankedCandidate& known : ranked->order) {
    const PublicModel& model = *known.candidate.model;
    const auto cost = CostOf(
        *input.table, {model.id, *known.candidate.deployment, model.traits},
        usage, input.at);
    if (!cost) continue;
    costs.push_back({*cost, cost->pico});
    known.cost = &costs.back();
    mixed = mixed || cost->currency != costs.front().cost.currency;
  }
  if (!mixed) return;
  for (ComparedCost& known : costs) {
    known.pico = Converted(*input.table, known.cost, input.at);
  }
}

std::string CostWords(const ComparedCost& cost) {
  return absl::StrFormat(
      "%.6g %s",
      static_cast<double>(cost.cost.pico) / static_cast<double>(kPicoPerUnit),
      cost.cost.currency.code);
}

bool Comparable(const RankedCandidate& known) {
  return known.cost != nullptr && known.cost->pico;
}

std::string ByCost(const RouteTable& table, Random* random,
                   Ranks::iterator begin, Ranks::iterator end) {
  const auto of = end - begin;
  if (of < 2) return "";
  // Equals by lot: turned around by chance, then sorted without moving them.
  std::rotate(begin,
              begin + static_cast<std::ptrdiff_t>(Lot(random) %
                                                  static_cast<uint64_t>(of)),
              end);
  std::stable_sort(begin, end,
                   [](const RankedCandidate& a, const RankedCandidate& b) {
                     if (!Comparable(a) || !Comparable(b)) {
                       return Comparable(a) && !Comparable(b);
                     }
                     return *a.cost->pico < *b.cost->pico;
                   });
  if (!Comparable(*begin)) return "no candidate has a price to compare";
  std::string why =
      absl::StrCat("cheapest of ", of, ": ", CostWords(*begin->cost));
  const RankedCandidate& next = *(begin + 1);
  if (Comparable(next)) {
    absl::StrAppend(&why, " against ", CostWords(*next.cost));
  }
  for (auto it = begin; it != end; ++it) {
    if (Comparable(*it)) continue;
    absl::StrAppend(&why, ", ", it->candidate.deployment->id, " unpriced");
    if (it->cost == nullptr) continue;
    absl::StrAppend(&why, " (no rate from ", it->cost->cost.currency.code,
                    " to ", table.compare_currency, ")");
    break;
  }
  return why;
}

// Of the best tier that has a candidate to ask.
std::string RankTiers(const PlanInput& input, Prefer prefer, Ranks* ranks) {
  std::string why;
  auto begin = ranks->begin();
  while (begin != ranks->end() && Band(*begin->view) < 2) {
    const auto same = [&](const RankedCandidate& known) {
      return Band(*known.view) == Band(*begin->view) &&
             known.candidate.fallback() == begin->candidate.fallback();
    };
    const auto end = std::find_if_not(begin, ranks->end(), same);
    std::string words;
    if (prefer == Prefer::kLatency) {
      words = ByLatency(input.random, begin, end);
    } else if (prefer == Prefer::kCost) {
      words = ByCost(*input.table, input.random, begin, end);
    }
    if (begin == ranks->begin()) why = std::move(words);
    begin = end;
  }
  return why;
}

void SortByBand(Ranks* ranks) {
  std::stable_sort(ranks->begin(), ranks->end(),
                   [](const RankedCandidate& a, const RankedCandidate& b) {
                     const int x = Band(*a.view);
                     const int y = Band(*b.view);
                     if (x != y) return x < y;
                     return x >= 2 && a.view->back_at < b.view->back_at;
                   });
}

void SetViews(RankedRoute* ranked) {
  for (size_t i = 0; i < ranked->order.size(); ++i) {
    ranked->order[i].view = &ranked->views[i];
  }
}

// Gives each candidate the board's view of it.
void LookAtAll(const PlanInput& input, int64_t tokens, RankedRoute* ranked) {
  if (input.health == nullptr) {
    ranked->views.resize(ranked->order.size());
    SetViews(ranked);
    return;
  }
  std::vector<HealthSubject> made;
  std::vector<const HealthSubject*> subjects;
  subjects.reserve(ranked->order.size());
  for (const RankedCandidate& known : ranked->order) {
    const RouteCandidate& candidate = known.candidate;
    if (candidate.subject != nullptr) {
      subjects.push_back(candidate.subject);
      continue;
    }
    if (made.empty()) made.reserve(ranked->order.size());
    made.push_back(SubjectOf(*input.table, *candidate.deployment));
    subjects.push_back(&made.back());
  }
  input.health->Look(subjects, tokens, input.now, &ranked->views);
  SetViews(ranked);
}

// The places of those a call may come to ask, among many candidates of whom
// nobody is in trouble: by latency some of the first tier, else the first; and
// the conversation's own.
std::vector<size_t> Shortlist(const PlanInput& input, Prefer prefer,
                              absl::Span<const RouteCandidate> candidates) {
  const size_t most = MostTargets(*input.table);
  const size_t tier = static_cast<size_t>(
      std::find_if(candidates.begin(), candidates.end(),
                   [&](const RouteCandidate& one) {
                     return one.fallback() != candidates.front().fallback();
                   }) -
      candidates.begin());
  std::vector<size_t> places;
  places.reserve(most + 1);
  if (prefer == Prefer::kLatency && tier > most) {
    // Neighbours from a place drawn by lot: two of them are weighed, the
    // others stand by.
    const size_t first = Lot(input.random) % tier;
    for (size_t i = 0; i < most; ++i) places.push_back((first + i) % tier);
  } else {
    const bool all = prefer == Prefer::kLatency;
    places.resize(
        std::min(candidates.size(), all ? std::max(most, tier) : most));
    std::iota(places.begin(), places.end(), size_t{0});
  }
  if (!input.sticky_deployment) return places;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (IsNamed(candidates[i], *input.sticky_deployment) &&
        std::find(places.begin(), places.end(), i) == places.end()) {
      places.push_back(i);
    }
  }
  return places;
}

// Choosing among many costs what choosing among a few does, while all are
// well; nullopt: they are not, or not all of these have room.
std::optional<RankedRoute> RankShortlist(
    const PlanInput& input, const ResolvedRoute& route,
    absl::Span<const RouteCandidate> candidates, int64_t tokens) {
  const bool few = candidates.size() <= MostTargets(*input.table);
  if (few || route.prefer == Prefer::kCost || input.health == nullptr ||
      (route.prefer == Prefer::kLatency && input.random == nullptr) ||
      !input.health->AllWell()) {
    return std::nullopt;
  }
  RankedRoute ranked;
  const std::vector<size_t> places = Shortlist(input, route.prefer, candidates);
  ranked.order.reserve(places.size());
  for (const size_t place : places) {
    ranked.order.emplace_back().candidate = candidates[place];
  }
  LookAtAll(input, tokens, &ranked);
  const bool all_ready = std::all_of(
      ranked.order.begin(), ranked.order.end(),
      [](const RankedCandidate& known) { return Band(*known.view) == 0; });
  if (!all_ready) return std::nullopt;
  ranked.why_first = RankTiers(input, route.prefer, &ranked.order);
  return ranked;
}

std::vector<std::string> PassedOver(const PlanInput& input,
                                    const Ranks& listed) {
  std::vector<std::string> lines;
  for (const RankedCandidate& known : listed) {
    const int band = Band(*known.view);
    if (band == 0) break;
    lines.push_back(absl::StrCat(known.candidate.deployment->id, ": ",
                                 HealthWords(*known.view, input.now)));
  }
  return lines;
}

}  // namespace

RankedRoute RankRoute(const PlanInput& input, const ResolvedRoute& route,
                      absl::Span<const RouteCandidate> candidates,
                      const TokenUsage& usage) {
  const int64_t tokens =
      usage.TotalInput().value_or(0) + usage.output.value_or(0);
  if (auto shortlist = RankShortlist(input, route, candidates, tokens)) {
    return *std::move(shortlist);
  }
  RankedRoute ranked;
  Ranks& ranks = ranked.order;
  ranks.reserve(candidates.size());
  for (const RouteCandidate& candidate : candidates) {
    ranks.emplace_back().candidate = candidate;
  }
  LookAtAll(input, tokens, &ranked);
  // Nearly always nobody is out, and nothing moves.
  const bool all_ready = std::all_of(
      ranks.begin(), ranks.end(),
      [](const RankedCandidate& known) { return Band(*known.view) == 0; });
  if (!all_ready) {
    ranked.passed_over = PassedOver(input, ranks);
    SortByBand(&ranks);
    if (Band(*ranks.front().view) > 0) ranked.passed_over.clear();
  }
  if (route.prefer == Prefer::kCost) PriceAll(input, usage, &ranked);
  ranked.why_first = RankTiers(input, route.prefer, &ranks);
  return ranked;
}

}  // namespace llm
