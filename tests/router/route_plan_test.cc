#include "router/route_plan.h"

#include <catch2/catch.hpp>

#include "router/call_error.h"
#include "tests/router/router_fixture.h"
#include "tests/support/status_matchers.h"

namespace llm {
namespace {

// A table with a task per case, and a request to plan for.
struct PlanFixture {
  PlanFixture() {
    for (const char* id : {"news", "deep", "default_task"}) {
      TaskRoute task;
      task.id = id;
      task.primary = {ModelId{"beta"}};
      table.tasks[id] = task;
    }
    table.task_aliases["headlines"] = "news";
    table.policy.default_task = "default_task";
    table.policy.deep_task = "deep";
    table.policy.quick_task = "news";
  }
  absl::StatusOr<RoutePlan> Plan() {
    PlanInput input;
    input.table = &table;
    input.request = &request;
    input.path_task = path_task;
    input.allowed_models = &allowed;
    input.sticky_deployment = sticky;
    input.sticky_key = sticky_key;
    input.health = &health;
    input.now = now;
    return MakePlan(input);
  }
  std::string First() {
    const auto plan = Plan();
    return plan.ok() ? plan->targets.front().deployment->id
                     : CallErrorDetail(plan.status()).code();
  }

  RouteTable table = TestTable();
  v1::ChatCompletionRequest request = Ask("", "hello, good morning");
  std::string path_task;
  std::vector<std::string> allowed;
  std::optional<std::string> sticky;
  std::string sticky_key;
  HealthBoard health;
  Instant now{absl::Seconds(50)};
};

TEST_CASE_METHOD(PlanFixture, "The task comes from the strongest source",
                 "[router][plan]") {
  struct Row {
    std::string model, task_type, path, metadata, want, source;
  };
  const auto row = GENERATE(values<Row>({
      {"", "", "", "", "default_task", "default"},
      {"auto", "", "", "news", "news", "metadata"},
      {"auto", "", "deep", "news", "deep", "path"},
      {"auto:news", "", "deep", "", "news", "alias"},
      {"auto:headlines", "", "", "", "news", "alias"},
      {"auto-quick", "", "deep", "", "news", "alias"},
      {"auto-deep", "", "", "", "deep", "alias"},
      {"auto-deep", "general", "news", "news", "general", "request"},
  }));
  request.set_model(row.model);
  request.set_task_type(row.task_type);
  path_task = row.path;
  if (!row.metadata.empty()) {
    (*request.mutable_metadata())["task_type"] = row.metadata;
  }
  const auto plan = Plan();
  REQUIRE_THAT(plan, IsOk());
  CHECK(plan->task_type == row.want);
  CHECK(plan->task_source == row.source);
  CHECK(plan->config_version == "v1");
}

TEST_CASE_METHOD(PlanFixture, "A named model is planned alone",
                 "[router][plan]") {
  const auto [model, want, count] =
      GENERATE(Catch::Generators::table<std::string, std::string, size_t>({
          {"alpha", "a/alpha-up", 1},
          {"first", "a/alpha-up", 1},  // alias
          {"twin", "a/twin-a", 2},     // all its deployments, no others
          {"b/twin", "b/twin-b", 1},   // one provider of it
          {"a/unheard-of", "a/unheard-of", 1},
          {"a/x/y:z", "a/x/y:z", 1},
      }));
  request.set_model(model);
  const auto plan = Plan();
  REQUIRE_THAT(plan, IsOk());
  CHECK(plan->targets.front().deployment->id == want);
  CHECK(plan->targets.size() == count);
  CHECK(plan->task_source.empty());
}

TEST_CASE_METHOD(PlanFixture, "Unknown names are refused with a suggestion",
                 "[router][plan]") {
  request.set_model("alpah");
  CHECK_THAT(Plan(), HasCode(absl::StatusCode::kNotFound));
  CHECK(CallErrorDetail(Plan().status()).message().find("alpha") !=
        std::string::npos);
  request.set_model("nobody/alpha");  // no such provider
  CHECK(First() == "model_not_found");
  request.set_model("auto:");
  CHECK(First() == "model_not_found");
  request.set_model("auto:newz");
  CHECK(First() == "model_not_found");
  CHECK(CallErrorDetail(Plan().status()).message().find("news") !=
        std::string::npos);
}

TEST_CASE_METHOD(PlanFixture, "A task that does not exist is refused",
                 "[router][plan]") {
  request.set_model("alpha");
  SECTION("in the request") { request.set_task_type("newz"); }
  SECTION("in the path") { path_task = "newz"; }
  CHECK(First() == "model_not_found");
}

TEST_CASE_METHOD(PlanFixture, "Metadata beside a named model may hold any task",
                 "[router][plan]") {
  request.set_model("alpha");
  (*request.mutable_metadata())["task_type"] = "my own word";
  const auto plan = Plan();
  REQUIRE_THAT(plan, IsOk());
  CHECK(plan->task_type == "my own word");
}

TEST_CASE_METHOD(PlanFixture, "Tiers are primary, then fallback",
                 "[router][plan]") {
  request.set_task_type("general");
  const auto plan = Plan();
  REQUIRE_THAT(plan, IsOk());
  REQUIRE(plan->targets.size() == 2);
  CHECK(plan->targets[0].deployment->id == "a/alpha-up");
  CHECK_FALSE(plan->targets[0].fallback());
  CHECK(plan->targets[1].deployment->id == "b/beta-up");
  CHECK(plan->targets[1].fallback());
}

TEST_CASE_METHOD(PlanFixture, "A model that lacks what is needed is left out",
                 "[router][plan]") {
  request.set_task_type("general");
  ModelTraits& traits = table.models["alpha"].traits;
  SECTION("tools") {
    traits.tools = false;
    request.add_tools()->mutable_function()->set_name("f");
  }
  SECTION("vision") {
    traits.vision = false;
    request.mutable_messages(0)->add_parts()->mutable_media()->set_kind(
        v1::MediaPart::IMAGE);
  }
  SECTION("JSON schema") {
    traits.json_schema = false;
    request.mutable_response_format()->set_type("json_schema");
  }
  SECTION("a forced tool") {
    traits.forced_tool_choice = false;
    request.mutable_tool_choice()->set_function("f");
  }
  SECTION("one of some tools, forced") {
    traits.forced_tool_choice = false;
    request.mutable_tool_choice()->set_other_json(GENERATE(
        R"({"type":"allowed_tools","allowed_tools":{"mode":"required"}})",
        R"({"type":"allowed_tools","mode":"required"})", R"({"type":"any"})",
        R"({"type":"tool","name":"f"})"));
  }
  SECTION("room for the prompt") { traits.context_window = 1; }
  const auto plan = Plan();
  REQUIRE_THAT(plan, IsOk());
  CHECK(plan->targets.size() == 1);
  CHECK(plan->targets[0].deployment->id == "b/beta-up");
  REQUIRE(plan->excluded.size() == 1);
  CHECK(plan->excluded[0].rfind("alpha: ", 0) == 0);
}

TEST_CASE_METHOD(PlanFixture, "What nobody can do is refused",
                 "[router][plan]") {
  request.set_task_type("general");
  table.models["alpha"].traits.context_window = 1;
  SECTION("too long for every candidate") {
    table.models["beta"].traits.context_window = 1;
    CHECK(First() == "context_length_exceeded");
  }
  SECTION("too long for one, no tools in the other") {
    table.models["beta"].traits.tools = false;
    request.add_tools()->mutable_function()->set_name("f");
    CHECK(First() == "invalid_request");
  }
}

TEST_CASE_METHOD(PlanFixture,
                 "A named model is weakened rather than refused, but if strict",
                 "[router][plan]") {
  table.models["alpha"].traits.json_schema = false;
  request.set_model("alpha");
  request.mutable_response_format()->set_type("json_schema");
  CHECK(First() == "a/alpha-up");
  request.set_strict(true);
  CHECK(First() == "invalid_request");
}

TEST_CASE_METHOD(PlanFixture, "A key reaches only its models, by any name",
                 "[router][plan][SEC-2]") {
  allowed = {"beta"};
  for (const char* name : {"alpha", "first", "a/alpha", "a/alpha-up",
                           "b/beta-up", "a/unheard-of"}) {
    CAPTURE(name);
    request.set_model(name);
    CHECK(First() == "model_not_allowed");
  }
  request.set_model("b/beta");
  CHECK(First() == "b/beta-up");
  request.set_model("auto:general");
  CHECK(First() == "b/beta-up");
  allowed = {"first"};  // an alias stands for its model
  CHECK(First() == "a/alpha-up");
}

TEST_CASE_METHOD(PlanFixture, "What cools down goes last",
                 "[router][plan][health]") {
  request.set_task_type("general");
  health.Report("a/alpha-up",
                {FailureClass::kRateLimited, absl::Seconds(9), now, now});
  CHECK(First() == "b/beta-up");
  // With all cooling, the one that comes back first.
  health.Report("b/beta-up",
                {FailureClass::kRateLimited, absl::Seconds(30), now, now});
  CHECK(First() == "a/alpha-up");
  now = now + absl::Seconds(31);
  CHECK(First() == "a/alpha-up");
}

TEST_CASE_METHOD(PlanFixture, "A conversation keeps a candidate that is fit",
                 "[router][plan][sticky]") {
  request.set_task_type("general");
  sticky = "b/beta-up";
  CHECK(First() == "b/beta-up");
  sticky = "beta\nb/beta-up";  // StickyName's form
  CHECK(First() == "b/beta-up");
  sticky = "b/gone";
  CHECK(First() == "a/alpha-up");
  sticky = "b/beta-up";
  health.Report("b/beta-up",
                {FailureClass::kRateLimited, absl::Seconds(9), now, now});
  CHECK(First() == "a/alpha-up");
}

TEST_CASE_METHOD(PlanFixture, "Equals share by weight, others keep their order",
                 "[router][plan][LIM-5]") {
  request.set_model("twin");
  const auto share_of_a = [this] {
    int count = 0;
    for (int i = 0; i < 1000; ++i) {
      sticky_key = "run" + std::to_string(i);
      if (First() == "a/twin-a") ++count;
    }
    return count;
  };
  CHECK(share_of_a() == 1000);
  table.models["twin"].spread = true;
  const int even = share_of_a();
  CHECK(even > 430);
  CHECK(even < 570);
  table.models["twin"].deployments[0].weight = 3;
  CHECK(share_of_a() > 680);
}

}  // namespace
}  // namespace llm
