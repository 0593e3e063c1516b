#include "server/http/socket.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace llm::server {
namespace asio = boost::asio;

Socket::Socket(Tcp tcp, asio::ssl::context* tls)
    : stream_(std::in_place_type<Tcp>, std::move(tcp)),
      end_read_(std::make_unique<asio::cancellation_signal>()) {
  Error ignored;
  // Tokens are small and must not wait for each other.
  std::get<Tcp>(stream_).set_option(asio::ip::tcp::no_delay(true), ignored);
  // So that WriteNow never waits.
  std::get<Tcp>(stream_).non_blocking(true, ignored);
  if (tls == nullptr) return;
  Tcp plain = std::move(std::get<Tcp>(stream_));
  stream_.emplace<Tls>(std::move(plain), *tls);
}

Socket::Tcp& Socket::tcp() {
  if (Tls* tls = std::get_if<Tls>(&stream_)) return tls->next_layer();
  return std::get<Tcp>(stream_);
}

Task<Socket::Error> Socket::Handshake() {
  Error error;
  if (Tls* tls = std::get_if<Tls>(&stream_)) {
    co_await tls->async_handshake(
        asio::ssl::stream_base::server,
        asio::bind_cancellation_slot(
            end_read_->slot(),
            asio::redirect_error(asio::use_awaitable, error)));
  }
  co_return error;
}

Task<Socket::Error> Socket::ReadSome(asio::mutable_buffer to, size_t* count) {
  Error error;
  *count = 0;
  if (Tls* tls = std::get_if<Tls>(&stream_); tls != nullptr && !tls_ended_) {
    *count = co_await tls->async_read_some(
        to, asio::bind_cancellation_slot(
                end_read_->slot(),
                asio::redirect_error(asio::use_awaitable, error)));
  } else {
    *count = co_await tcp().async_read_some(
        to, asio::bind_cancellation_slot(
                end_read_->slot(),
                asio::redirect_error(asio::use_awaitable, error)));
  }
  co_return error;
}

size_t Socket::WriteNow(asio::const_buffer from) {
  Tcp* tcp = std::get_if<Tcp>(&stream_);
  Error error;
  const size_t count = tcp == nullptr ? 0 : tcp->write_some(from, error);
  return error ? 0 : count;
}

void Socket::WriteSome(asio::const_buffer from,
                       std::function<void(Error, size_t)> done) {
  if (Tls* tls = std::get_if<Tls>(&stream_)) {
    tls->async_write_some(from, std::move(done));
  } else {
    std::get<Tcp>(stream_).async_write_some(from, std::move(done));
  }
}

void Socket::CancelReads() {
  end_read_->emit(asio::cancellation_type::terminal);
}

void Socket::CancelAll() {
  Error ignored;
  tcp().cancel(ignored);
}

Task<void> Socket::EndSending() {
  Error ignored;
  if (Tls* tls = std::get_if<Tls>(&stream_)) {
    tls_ended_ = true;
    co_await tls->async_shutdown(asio::bind_cancellation_slot(
        end_read_->slot(), asio::redirect_error(asio::use_awaitable, ignored)));
  }
  tcp().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

void Socket::Close() {
  Error ignored;
  tcp().close(ignored);
}

}  // namespace llm::server
