// One streamed answer, pulled chunk by chunk.
//
//   llm::client::ChatStream stream = client.StreamChat(request, options);
//   for (const auto& chunk : stream) std::cout << ChunkText(chunk);
//   if (absl::Status status = stream.Finish(); !status.ok()) …
//   stream.Answer();  // the whole answer, as a unary call gives it
//
// Threads:   One thread reads; Cancel() may come from any other, while the
//            stream lives.
// Ownership: Moves, does not copy; one moved from has ended, with
//            kFailedPrecondition. Destroying or overwriting a stream that has
//            not ended cancels it, here and at the provider. It may outlive
//            its Client.
// Errors:    From Finish(): what ended the stream. A service that fails after
//            the first chunk ends it so too: text that came before stays true.
//            Detail: error.h.
// Waiting:   Next() and Finish() wait for the service, at most until the
//            call's deadline. Who does not call Next() slows the provider
//            down; a stream unread for a minute is cut by the service.
#ifndef LLM_SERVICE_CHAT_STREAM_H_
#define LLM_SERVICE_CHAT_STREAM_H_

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "llm/v1/chat.pb.h"
#include "llm_service/call_options.h"

namespace llm::client {

class Client;

class ChatStream {
 public:
  ChatStream(ChatStream&&) noexcept;
  ChatStream& operator=(ChatStream&&) noexcept;
  ~ChatStream();

  // The next chunk; nothing at the end, of whichever kind: ask Finish().
  std::optional<v1::ChatCompletionChunk> Next();

  // How the stream ended. Reads what is left of it, so that Answer() is
  // whole; to leave early, Cancel() first or destroy the stream. Again: the
  // same status.
  absl::Status Finish();

  // Ends the stream; Next() returns nothing and Finish() kCancelled, unless it
  // had ended already.
  void Cancel() const;

  // What the service sent before its first chunk; empty before Next().
  ReceivedMetadata Metadata() const;

  // What has come so far, joined (answer_builder.h); costs a copy.
  v1::ChatCompletionResponse Answer() const;

  // One pass over the chunks that are left.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = v1::ChatCompletionChunk;
    using difference_type = std::ptrdiff_t;
    using pointer = const v1::ChatCompletionChunk*;
    using reference = const v1::ChatCompletionChunk&;

    // The end.
    Iterator() = default;
    explicit Iterator(ChatStream* stream) : stream_(stream) { ++*this; }

    reference operator*() const { return *chunk_; }
    pointer operator->() const { return &*chunk_; }
    Iterator& operator++() {
      chunk_ = stream_->Next();
      if (!chunk_.has_value()) stream_ = nullptr;
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& a, const Iterator& b) {
      return a.stream_ == b.stream_;
    }
    friend bool operator!=(const Iterator& a, const Iterator& b) {
      return !(a == b);
    }

   private:
    ChatStream* stream_ = nullptr;
    std::optional<v1::ChatCompletionChunk> chunk_;
  };
  Iterator begin() { return Iterator(this); }
  Iterator end() { return Iterator(); }

 private:
  friend class Client;
  class Call;
  explicit ChatStream(std::unique_ptr<Call> call);
  std::unique_ptr<Call> call_;
};

}  // namespace llm::client

#endif  // LLM_SERVICE_CHAT_STREAM_H_
