// A blocking HTTP client for tests with many client threads: it asserts
// nothing, since Catch2 asserts on the main thread only. What fails is an
// empty or short answer.
//
// Threads: One per object.
#ifndef LLM_TESTS_INTEGRATION_SERVICE_CLIENT_H_
#define LLM_TESTS_INTEGRATION_SERVICE_CLIENT_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace llm {

class ServiceClient {
 public:
  explicit ServiceClient(uint16_t port);
  ~ServiceClient();
  ServiceClient(const ServiceClient&) = delete;
  ServiceClient& operator=(const ServiceClient&) = delete;

  void Send(std::string_view bytes);
  // Everything so far, once `text` is in it or the server has closed.
  const std::string& ReadUntil(std::string_view text);
  // One answer with a Content-Length, from a server that keeps connections.
  const std::string& ReadAnswer();
  // Everything until the server closes.
  const std::string& ReadAll();
  // Leaves with a reset, or else in an orderly way.
  void Leave(bool reset);

 private:
  bool ReadSome();
  int fd_ = -1;
  std::string seen_;
};

// A whole request whose connection ends with its answer. `key` empty: none.
std::string Request(std::string_view method, std::string_view path,
                    std::string_view key, std::string_view body = "");
// A chat request.
std::string Chat(std::string_view key, std::string_view model, bool stream);

// Sends and reads to the end.
std::string Ask(uint16_t port, std::string_view request);

// Of the first answer in `bytes`; 0 or empty where there is none.
int StatusOf(std::string_view bytes);
std::string HeaderOf(std::string_view bytes, std::string_view name);
std::string BodyOf(std::string_view bytes);

}  // namespace llm

#endif  // LLM_TESTS_INTEGRATION_SERVICE_CLIENT_H_
