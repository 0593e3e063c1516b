// The shortest C++ client: generated stubs, a deadline, a stream.
//   LLM_KEY=sk-… grpc_chat [HOST:PORT]
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "llm/v1/service.grpc.pb.h"

namespace {

std::unique_ptr<grpc::ClientContext> NewContext() {
  auto context = std::make_unique<grpc::ClientContext>();
  const char* key = std::getenv("LLM_KEY");
  if (key != nullptr) {
    context->AddMetadata("authorization", std::string("Bearer ") + key);
  }
  context->set_deadline(std::chrono::system_clock::now() +
                        std::chrono::seconds(300));
  return context;
}

int Fail(const grpc::Status& status) {
  std::cerr << "error " << status.error_code() << ": " << status.error_message()
            << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string target = argc > 1 ? argv[1] : "127.0.0.1:9004";
  const auto stub = llm::v1::LlmService::NewStub(
      grpc::CreateChannel(target, grpc::InsecureChannelCredentials()));

  llm::v1::ChatCompletionRequest request;
  request.set_model("auto");
  request.set_run_id("cpp-example");
  llm::v1::Message& message = *request.add_messages();
  message.set_role("user");
  message.set_content("Say hello");

  llm::v1::ChatCompletionResponse response;
  auto context = NewContext();
  grpc::Status status = stub->ChatCompletion(context.get(), request, &response);
  if (!status.ok()) return Fail(status);
  if (response.choices().empty()) {
    std::cerr << "error: the answer holds no choice\n";
    return 1;
  }
  std::cout << response.choices(0).message().content() << "\n"
            << response.llm_service().provider() << "\n";

  context = NewContext();
  const auto reader = stub->StreamChatCompletion(context.get(), request);
  llm::v1::ChatCompletionChunk chunk;
  std::string streamed;
  while (reader->Read(&chunk)) {
    for (const auto& choice : chunk.choices()) {
      streamed += choice.delta().content();
    }
  }
  status = reader->Finish();
  if (!status.ok()) return Fail(status);
  std::cout << streamed << "\n";
  // Two calls: a real model may say the same in other words.
  return streamed.empty() ? 1 : 0;
}
