// Who may hold how much of the memory for bodies.
#include "server/core/body_budget.h"

#include <catch2/catch.hpp>
#include <memory>
#include <vector>

namespace llm::server {
namespace {

using Hold = BodyBudget::Hold;

TEST_CASE("One owner takes half of the budget, and others the rest",
          "[server][budget][PRF-5]") {
  BodyBudget budget(1000, 10);
  Hold first(&budget, "greedy");
  Hold second(&budget, "greedy");
  CHECK(first.Grow(300));
  CHECK(second.Grow(200));
  CHECK_FALSE(second.Grow(1));
  CHECK_FALSE(first.Grow(1));
  CHECK_FALSE(Hold(&budget, "greedy").Grow(11));
  CHECK(budget.refused() == 3);
  CHECK(budget.held() == 500);
  CHECK(Hold(&budget, "other").Grow(400));
}

TEST_CASE("What an owner gives back it may take again",
          "[server][budget][PRF-5]") {
  BodyBudget budget(1000, 10);
  Hold kept(&budget, "a");
  CHECK(kept.Grow(100));
  for (int i = 0; i < 3; ++i) {
    Hold more(&budget, "a");
    // Small at first: the share counts it whole when it is small no more.
    CHECK(more.Grow(5));
    CHECK(more.Grow(395));
    CHECK_FALSE(more.Grow(1));
  }
  CHECK(budget.held() == 100);
}

TEST_CASE("A single body may take all there is", "[server][budget][PRF-5]") {
  BodyBudget budget(1000, 10);
  Hold only(&budget, "a");
  CHECK(only.Grow(900));
  CHECK_FALSE(Hold(&budget, "a").Grow(50));
  CHECK(Hold(&budget, "b").Grow(50));
}

TEST_CASE("Small bodies are let in when nothing else is",
          "[server][budget][PRF-5]") {
  BodyBudget budget(100, 10);
  Hold full(&budget, "a");
  CHECK(full.Grow(100));
  std::vector<std::unique_ptr<Hold>> small;
  for (int i = 0; i < 5; ++i) {
    small.push_back(std::make_unique<Hold>(&budget, i < 3 ? "a" : "b"));
    CHECK(small.back()->Grow(10));
    CHECK_FALSE(small.back()->Grow(1));
  }
  CHECK(budget.held() == 150);
  small.clear();
  CHECK(budget.held() == 100);
}

TEST_CASE("Callers who are not told apart share the whole budget",
          "[server][budget]") {
  BodyBudget budget(1000, 10);
  Hold first(&budget);
  Hold second(&budget);
  CHECK(first.Grow(500));
  CHECK(second.Grow(500));
  CHECK_FALSE(second.Grow(1));
}

}  // namespace
}  // namespace llm::server
