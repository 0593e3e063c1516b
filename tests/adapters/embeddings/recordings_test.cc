// Replays every recorded exchange of the embedding APIs that are spoken, and
// compares what comes out with a plain reading of the recording.
//
// The recordings lie beside the project, or where LLM_SHARED says; without
// them the test says so and ctest counts it as skipped.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "absl/strings/escaping.h"
#include "adapters/core/json.h"
#include "adapters/gemini/gemini_embedder.h"
#include "adapters/openai/openai_provider.h"
#include "tests/support/fake_clock.h"
#include "tests/support/run_task.h"
#include "tests/support/scripted_transport.h"

namespace llm {
namespace {

namespace fs = std::filesystem;

fs::path Root() {
  const char* shared = std::getenv("LLM_SHARED");
  return (shared != nullptr ? fs::path(shared)
                            : fs::path(LLM_SOURCE_DIR) / "../shared") /
         "recordings";
}

std::vector<fs::path> Recordings(const std::string& api) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(Root() / api, error)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

std::vector<double> PlainVector(JsonValue value) {
  std::vector<double> out;
  if (value.is_string()) {
    std::string bytes;
    REQUIRE(absl::Base64Unescape(value.StringOr(), &bytes));
    for (size_t i = 0; i + 4 <= bytes.size(); i += 4) {
      float x = 0;
      std::memcpy(&x, bytes.data() + i, 4);
      out.push_back(static_cast<double>(x));
    }
    return out;
  }
  for (JsonValue v = value.First(); v; v = v.Next()) {
    out.push_back(v.AsDouble().value());
  }
  return out;
}

// The recorded request in canonical words, by a reading of its own.
v1::CreateEmbeddingsRequest Asked(JsonValue body, size_t vectors) {
  v1::CreateEmbeddingsRequest request;
  for (JsonValue v = body.Find("input").First(); v; v = v.Next()) {
    request.add_input(v.StringOr());
  }
  const auto text = [](JsonValue content) {
    return content.Find("parts").First().Find("text").StringOr();
  };
  for (JsonValue v = body.Find("requests").First(); v; v = v.Next()) {
    request.add_input(text(v.Find("content")));
    const std::string purpose = v.Find("taskType").StringOr();
    if (!purpose.empty()) {
      request.set_extra_json("{\"taskType\":" + JsonQuote(purpose) + "}");
    }
  }
  if (body.Find("content").is_object()) {
    request.add_input(text(body.Find("content")));
  }
  if (const auto length = body.Find("dimensions").AsInt64()) {
    request.set_dimensions(static_cast<int32_t>(*length));
  }
  // The source has no request: any inputs will do.
  while (static_cast<size_t>(request.input_size()) < vectors) {
    request.add_input("x");
  }
  return request;
}

std::vector<JsonValue> RecordedVectors(JsonValue body) {
  std::vector<JsonValue> out;
  for (JsonValue v = body.Find("data").First(); v; v = v.Next()) {
    out.push_back(v.Find("embedding"));
  }
  for (JsonValue v = body.Find("embeddings").First(); v; v = v.Next()) {
    out.push_back(v.Find("values"));
  }
  if (body.Find("embedding").is_object()) {
    out.push_back(body.Find("embedding").Find("values"));
  }
  return out;
}

EmbedResult Replay(const std::string& api, JsonValue root,
                   const v1::CreateEmbeddingsRequest& request, Cut cut,
                   std::string* sent) {
  boost::asio::io_context io;
  FakeClock clock;
  ScriptedTransport transport(
      {.status = static_cast<int>(
           root.Find("response").Find("status").AsInt64().value()),
       .headers = {{"content-type", "application/json"}},
       .body = std::string(root.Find("response").Find("body").raw())});
  transport.cut = cut;
  AttemptContext context;
  const std::string path = root.Find("request").Find("path").StringOr();
  context.upstream_model.value = root.Find("model").StringOr();
  EmbedResult result;
  if (api == "openai.embeddings") {
    ProviderSettings settings;
    settings.profile = "openai";
    settings.base_url = "https://upstream.test/v1";
    OpenAiProvider provider(settings, transport, clock);
    result = RunTask(io, provider.Embed(request, context));
  } else {
    const EmbedExchange exchange(
        transport, clock, [](int status, const ErrorWords&) {
          return status == 404 ? FailureClass::kModelNotFound
                               : FailureClass::kServerError;
        });
    const std::string url =
        "https://upstream.test" + path.substr(0, path.rfind(':'));
    result =
        RunTask(io, gemini::EmbedWithGemini(
                        request, context,
                        {url, {}, {}, api == "gemini.embedContent"}, exchange));
    CHECK(transport.requests.at(0).url == "https://upstream.test" + path);
  }
  *sent = transport.requests.at(0).body;
  return result;
}

// The same members with the same values, in any order.
bool SameJson(JsonValue a, JsonValue b) {
  if (a.type() != b.type() || a.size() != b.size()) return false;
  if (a.is_object()) {
    for (JsonValue v = a.First(); v; v = v.Next()) {
      if (!SameJson(v, b.Find(v.Key()))) return false;
    }
    return true;
  }
  if (!a.is_array()) return a.raw() == b.raw() || a.StringOr() == b.StringOr();
  JsonValue other = b.First();
  for (JsonValue v = a.First(); v; v = v.Next(), other = other.Next()) {
    if (!SameJson(v, other)) return false;
  }
  return true;
}

bool SameVectors(const EmbedResult& got, JsonValue body) {
  const std::vector<JsonValue> want = RecordedVectors(body);
  if (got.vectors.size() != want.size()) return false;
  for (size_t i = 0; i < want.size(); ++i) {
    const std::vector<double> plain = PlainVector(want[i]);
    if (got.vectors[i].size() != plain.size()) return false;
    for (size_t k = 0; k < plain.size(); ++k) {
      if (std::abs(static_cast<double>(got.vectors[i][k]) - plain[k]) > 1e-7) {
        return false;
      }
    }
  }
  return true;
}

int64_t RecordedTokens(JsonValue body) {
  const auto openai = body.Find("usage").Find("prompt_tokens").AsInt64();
  if (openai) return *openai;
  return body.Find("usageMetadata")
      .Find("promptTokenCount")
      .AsInt64()
      .value_or(-1);
}

bool Right(const EmbedResult& got, JsonValue response) {
  const JsonValue body = response.Find("body");
  if (response.Find("status").AsInt64() != 200) {
    return got.attempt.failure.failure == FailureClass::kModelNotFound &&
           got.vectors.empty();
  }
  return got.attempt.status.ok() && SameVectors(got, body) &&
         got.attempt.usage.TotalInput().value_or(-1) == RecordedTokens(body);
}

TEST_CASE("recorded embeddings replay wholly right",
          "[adapters][embeddings][recordings]") {
  int right = 0;
  int all = 0;
  for (const std::string api :
       {"openai.embeddings", "gemini.batchEmbedContents",
        "gemini.embedContent"}) {
    for (const fs::path& file : Recordings(api)) {
      CAPTURE(file.string());
      const std::string text = ReadFile(file);
      const auto doc = JsonDocument::Parse(text);
      REQUIRE(doc.ok());
      const JsonValue root = doc->root();
      const JsonValue recorded = root.Find("request").Find("body");
      const v1::CreateEmbeddingsRequest request = Asked(
          recorded, RecordedVectors(root.Find("response").Find("body")).size());
      bool ok = true;
      for (const Cut cut :
           {Cut{}, Cut{Cut::Kind::kEveryByte, 0}, Cut{Cut::Kind::kRandom, 7}}) {
        std::string sent;
        ok = ok && Right(Replay(api, root, request, cut, &sent),
                         root.Find("response"));
        // What was sent then is what we send.
        const auto ours = JsonDocument::Parse(sent);
        if (recorded.is_object()) {
          ok = ok && SameJson(ours->root(), recorded);
        }
      }
      CHECK(ok);
      ++all;
      right += ok ? 1 : 0;
    }
  }
  if (all == 0) {
    std::cout << "SKIPPED: no recordings\n";
    return;
  }
  std::cout << "embeddings: " << right << " of " << all
            << " recorded exchanges wholly right (not spoken: voyage, cohere, "
               "bedrock)\n";
}

}  // namespace
}  // namespace llm
