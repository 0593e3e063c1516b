// gRPC's own services: health, reflection.
#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <future>
#include <set>
#include <string>
#include <vector>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "tests/server/grpc/grpc_fixture.h"

namespace llm::server {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;
using HealthStub = grpc::health::v1::Health::Stub;

GrpcServerOptions AdminOptions(bool admin) {
  GrpcServerOptions options;
  options.admin = admin;
  return options;
}

HealthCheckRequest About(const std::string& service) {
  HealthCheckRequest request;
  request.set_service(service);
  return request;
}

std::string Check(GrpcFixture& fixture, const std::string& service) {
  HealthStub stub(fixture.channel);
  grpc::ClientContext context;
  HealthCheckResponse answer;
  const grpc::Status status = stub.Check(&context, About(service), &answer);
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) return "unknown";
  REQUIRE(status.ok());
  return HealthCheckResponse::ServingStatus_Name(answer.status());
}

TEST_CASE("Health follows the switch, for the server and for its services",
          "[server][grpc][health]") {
  const bool admin = GENERATE(false, true);
  GrpcFixture fixture(AdminOptions(admin));
  for (const bool serving : {false, true, false}) {
    if (serving || Check(fixture, "") == "SERVING") {
      fixture.server->SetServing(serving);
    }
    const std::string want = serving ? "SERVING" : "NOT_SERVING";
    CHECK(Check(fixture, "") == want);
    CHECK(Check(fixture, "llm.v1.LlmService") == want);
    CHECK(Check(fixture, "llm.v1.AdminService") == (admin ? want : "unknown"));
  }
  CHECK(Check(fixture, "other.Service") == "unknown");
}

TEST_CASE("A health question larger than any is refused",
          "[server][grpc][health]") {
  GrpcFixture fixture;
  HealthStub stub(fixture.channel);
  grpc::ClientContext context;
  HealthCheckResponse answer;
  const grpc::Status status =
      stub.Check(&context, About(std::string(size_t{100} << 10, 'x')), &answer);
  CHECK(status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_CASE("A watcher hears each change, and the end of the server",
          "[server][grpc][health]") {
  GrpcFixture fixture;
  HealthStub stub(fixture.channel);
  grpc::ClientContext context;
  const auto watch = stub.Watch(&context, About("llm.v1.LlmService"));
  HealthCheckResponse answer;
  for (const bool serving : {false, true, false, true}) {
    fixture.server->SetServing(serving);
    REQUIRE(watch->Read(&answer));
    CHECK(answer.status() == (serving ? HealthCheckResponse::SERVING
                                      : HealthCheckResponse::NOT_SERVING));
  }
  // An hour is for calls; whoever only watches is not waited for.
  auto ended = std::async(std::launch::async, [&] {
    return fixture.server->Shutdown(absl::Hours(1));
  });
  REQUIRE(watch->Read(&answer));
  CHECK(answer.status() == HealthCheckResponse::NOT_SERVING);
  CHECK_FALSE(watch->Read(&answer));
  CHECK(watch->Finish().error_code() == grpc::StatusCode::UNAVAILABLE);
  CHECK(ended.get());
}

TEST_CASE("A watcher of a service that is not there is told so, and may go",
          "[server][grpc][health]") {
  GrpcFixture fixture;
  HealthStub stub(fixture.channel);
  grpc::ClientContext context;
  const auto watch = stub.Watch(&context, About("other.Service"));
  HealthCheckResponse answer;
  REQUIRE(watch->Read(&answer));
  CHECK(answer.status() == HealthCheckResponse::SERVICE_UNKNOWN);
  context.TryCancel();
  CHECK_FALSE(watch->Read(&answer));
  CHECK(watch->Finish().error_code() == grpc::StatusCode::CANCELLED);
  CHECK(fixture.server->Shutdown(absl::Hours(1)));
}

// One question, one answer.
template <typename Stub>
ServerReflectionResponse Ask(GrpcFixture& fixture,
                             const ServerReflectionRequest& question) {
  Stub stub(fixture.channel);
  grpc::ClientContext context;
  const auto stream = stub.ServerReflectionInfo(&context);
  REQUIRE(stream->Write(question));
  ServerReflectionResponse answer;
  REQUIRE(stream->Read(&answer));
  stream->WritesDone();
  CHECK_FALSE(stream->Read(&answer));
  CHECK(stream->Finish().ok());
  return answer;
}

using Reflection = grpc::reflection::v1::ServerReflection::Stub;
using OldReflection = grpc::reflection::v1alpha::ServerReflection::Stub;

TEST_CASE("Reflection lists what a listener serves, admin only on its own",
          "[server][grpc][reflection]") {
  const bool admin = GENERATE(false, true);
  GrpcFixture fixture(AdminOptions(admin));
  ServerReflectionRequest question;
  question.set_list_services("*");
  for (const auto& answer : {Ask<Reflection>(fixture, question),
                             Ask<OldReflection>(fixture, question)}) {
    std::set<std::string> names;
    for (const auto& service : answer.list_services_response().service()) {
      names.insert(service.name());
    }
    std::set<std::string> want{"llm.v1.LlmService", "grpc.health.v1.Health",
                               "grpc.reflection.v1.ServerReflection",
                               "grpc.reflection.v1alpha.ServerReflection"};
    if (admin) want.insert("llm.v1.AdminService");
    CHECK(names == want);
  }
}

std::vector<std::string> FileNames(const ServerReflectionResponse& answer) {
  std::vector<std::string> names;
  for (const std::string& bytes :
       answer.file_descriptor_response().file_descriptor_proto()) {
    google::protobuf::FileDescriptorProto file;
    REQUIRE(file.ParseFromString(bytes));
    names.push_back(file.name());
  }
  return names;
}

TEST_CASE("Reflection hands out a symbol's file with all it imports",
          "[server][grpc][reflection]") {
  GrpcFixture fixture;
  ServerReflectionRequest question;
  question.set_host("here");
  for (const char* symbol :
       {"llm.v1.LlmService", "llm.v1.LlmService.ChatCompletion",
        "llm.v1.AdminService", "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection", "llm.v1.Message"}) {
    CAPTURE(symbol);
    question.set_file_containing_symbol(symbol);
    const auto answer = Ask<Reflection>(fixture, question);
    CHECK(answer.valid_host() == "here");
    CHECK(answer.original_request().file_containing_symbol() == symbol);
    const std::vector<std::string> names = FileNames(answer);
    REQUIRE_FALSE(names.empty());
    CHECK(std::set<std::string>(names.begin(), names.end()).size() ==
          names.size());
  }
  question.set_file_by_filename("llm/v1/service.proto");
  const std::vector<std::string> names =
      FileNames(Ask<Reflection>(fixture, question));
  CHECK(names[0] == "llm/v1/service.proto");
  CHECK(std::count(names.begin(), names.end(), "llm/v1/common.proto") == 1);
}

TEST_CASE("Reflection says what it does not have",
          "[server][grpc][reflection]") {
  GrpcFixture fixture;
  std::vector<ServerReflectionRequest> questions(5);
  questions[0].set_file_by_filename("other.proto");
  questions[1].set_file_containing_symbol("other.Thing");
  questions[2].set_all_extension_numbers_of_type("other.Thing");
  questions[3].mutable_file_containing_extension()->set_containing_type("o");
  for (size_t i = 0; i < questions.size(); ++i) {
    CAPTURE(i);
    const auto answer = Ask<Reflection>(fixture, questions[i]);
    CHECK(answer.error_response().error_code() ==
          (i < 4 ? grpc::StatusCode::NOT_FOUND
                 : grpc::StatusCode::INVALID_ARGUMENT));
  }
  ServerReflectionRequest none;
  none.set_all_extension_numbers_of_type("llm.v1.Message");
  const auto answer = Ask<Reflection>(fixture, none);
  CHECK(answer.all_extension_numbers_response().base_type_name() ==
        "llm.v1.Message");
}

TEST_CASE("An open reflection stream is answered in order, and holds no drain",
          "[server][grpc][reflection]") {
  GrpcFixture fixture;
  Reflection stub(fixture.channel);
  grpc::ClientContext context;
  const auto stream = stub.ServerReflectionInfo(&context);
  ServerReflectionRequest question;
  ServerReflectionResponse answer;
  for (int i = 0; i < 3; ++i) {
    question.set_host(std::to_string(i));
    question.set_list_services("");
    REQUIRE(stream->Write(question));
    REQUIRE(stream->Read(&answer));
    CHECK(answer.valid_host() == std::to_string(i));
  }
  CHECK(fixture.server->Shutdown(absl::Hours(1)));
  CHECK_FALSE(stream->Read(&answer));
  // Or what the client makes of a connection that ends meanwhile.
  const grpc::StatusCode code = stream->Finish().error_code();
  CHECK((code == grpc::StatusCode::CANCELLED ||
         code == grpc::StatusCode::UNAVAILABLE));
}

TEST_CASE("A listener that is only looked at now and then answers too",
          "[server][grpc]") {
  GrpcServerOptions options = AdminOptions(true);
  options.look_every = absl::Milliseconds(1);
  GrpcFixture fixture(options);
  for (int i = 0; i < 3; ++i) CHECK(Check(fixture, "") == "NOT_SERVING");
  auto context = GrpcFixture::Context(FakeChatService::kAdminKey);
  v1::ListKeysResponse listed;
  CHECK(fixture.admin->ListKeys(context.get(), {}, &listed).ok());
  fixture.service.chat = [](const CallContext&, const ChatRequest&,
                            ChunkSink* sink) -> Task<CallResult> {
    CallResult result;
    for (const char* text : {"a", "b", "c"}) {
      result.status = co_await sink->Write(TextChunk(text));
    }
    co_return result;
  };
  context = GrpcFixture::Context();
  const auto stream =
      fixture.stub->StreamChatCompletion(context.get(), UserRequest());
  v1::ChatCompletionChunk chunk;
  int chunks = 0;
  while (stream->Read(&chunk)) ++chunks;
  CHECK(chunks == 3);
  CHECK(stream->Finish().ok());
  CHECK(fixture.server->Shutdown(absl::Hours(1)));
}

}  // namespace
}  // namespace llm::server
