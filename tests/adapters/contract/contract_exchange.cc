#include "tests/adapters/contract/contract_exchange.h"

#include <catch2/catch.hpp>
#include <utility>

namespace llm {
namespace {}  // namespace

Target TargetOf(const DialectSample& sample) {
  return {.dialect = sample.dialect,
          .base_url = sample.base_url,
          .model = sample.model};
}

Played Play(const Target& target, ScriptedTransport::Script script,
            const Playing& how) {
  boost::asio::io_context io;
  FakeClock clock;
  ScriptedTransport transport(std::move(script));
  transport.cut = how.cut;
  ProviderSettings settings;
  settings.id.value = "acme";
  settings.dialect = target.dialect;
  settings.profile = target.profile;
  settings.base_url = target.base_url;
  auto provider = MakeProvider(settings, transport, clock);
  REQUIRE(provider.ok());
  AttemptContext context;
  context.provider.value = "acme";
  context.attempt_id.value = "attempt-1";
  context.upstream_model.value = target.model;
  context.traits = target.traits;
  context.api_key = ApiKey("sk-planted");
  context.stream = how.stream;
  context.strict = how.strict;
  EventRecorder sink;
  sink.answer = how.sink_answer;
  Played out;
  out.result =
      std::move(*RunTask(io, (*provider)->Chat(how.request, context, sink)));
  out.chunks = sink.chunks;
  for (const v1::ChatCompletionChunk& chunk : out.chunks) {
    // The router's, and not masked where it holds the key [SEC-5].
    CHECK(chunk.id().empty());
    CHECK(chunk.object().empty());
    CHECK(chunk.model().empty());
    CHECK(chunk.created() == 0);
  }
  out.choices = Collect(sink.chunks);
  out.requests = transport.requests;
  return out;
}

ChatRequest PlainQuestion() {
  ChatRequest request;
  v1::Message& message = *request.message.add_messages();
  message.set_role("user");
  message.add_parts()->mutable_text()->set_text("Hi");
  return request;
}

std::vector<Cut> EveryCut() {
  return {{Cut::Kind::kWhole},
          {Cut::Kind::kEveryByte},
          {Cut::Kind::kRandom, 1},
          {Cut::Kind::kRandom, 2}};
}

}  // namespace llm
