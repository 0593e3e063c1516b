#include "adapters/http/curl_multi.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace llm {

namespace asio = boost::asio;

namespace {

// A handle keeps about 25 KB of buffers: enough for bursts, not for peaks.
constexpr size_t kMaxIdleEasies = 128;

// The kernel's name of a socket: no other has it while its number goes round.
// 0: there is no such descriptor.
ino_t InodeOf(int fd) {
  struct stat facts {};
  return ::fstat(fd, &facts) == 0 ? facts.st_ino : 0;
}

}  // namespace

struct CurlMulti::Watch {
  Watch(asio::io_context& loop, curl_socket_t fd, bool is_owned)
      : descriptor(loop, fd), owned(is_owned), inode(InodeOf(fd)) {}
  ~Watch() {
    if (descriptor.is_open() && !MayClose()) descriptor.release();
  }
  // Whether the number still means our socket.
  bool Lives() { return InodeOf(descriptor.native_handle()) == inode; }
  bool MayClose() { return owned && Lives(); }
  // Asio asks epoll for writability from a socket's first wait for it on, and
  // for good: every later wait for a delta would bring an event more, of a
  // socket that is always writable. So once connected it is entered anew.
  // False: epoll is full, and the descriptor nobody's.
  bool ForgetWrites() {
    if (!asked_writes || armed != CURL_POLL_NONE) return true;
    asked_writes = false;
    boost::system::error_code error;
    const int fd = descriptor.release();
    descriptor.assign(fd, error);
    if (error) ::close(fd);
    return !error;
  }

  asio::posix::stream_descriptor descriptor;
  const bool owned;  // else curl closes it
  const ino_t inode;
  // Curl waits for an answer on it: from then on it closes it through us.
  bool connected = false;
  bool asked_writes = false;
  int wanted = CURL_POLL_NONE;  // bits CURL_POLL_IN and CURL_POLL_OUT
  int armed = CURL_POLL_NONE;   // sides with a wait under way
};

CurlMulti::CurlMulti(asio::io_context& loop, long max_idle_connections)
    : loop_(loop),
      // Counted and thread-safe in libcurl since 7.84.
      multi_((curl_global_init(CURL_GLOBAL_DEFAULT), curl_multi_init())),
      timer_(loop) {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlMulti::OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlMulti::OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  // Only idle connections are bounded. A limit on open ones would let one
  // hung provider starve the others; admission bounds those.
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, max_idle_connections);
  // In libcurl 7.88 a paused HTTP/2 stream holds up all others of its
  // connection: one caller who reads slowly would stop the rest.
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING,
                    static_cast<long>(CURLPIPE_NOTHING));
}

CurlMulti::~CurlMulti() {
  idle_easies_.clear();
  curl_multi_cleanup(multi_);
  curl_global_cleanup();
}

CurlEasy CurlMulti::TakeEasy() {
  if (idle_easies_.empty()) return CurlEasy(curl_easy_init());
  CurlEasy easy = std::move(idle_easies_.back());
  idle_easies_.pop_back();
  return easy;
}

void CurlMulti::ReturnEasy(CurlEasy easy) {
  if (idle_easies_.size() >= kMaxIdleEasies) return;
  // Options point into the exchange that is ending, and would rule the next.
  curl_easy_reset(easy.get());
  idle_easies_.push_back(std::move(easy));
}

absl::Status CurlMulti::Add(CURL* easy) {
  const CURLMcode code = curl_multi_add_handle(multi_, easy);
  if (code != CURLM_OK) return absl::InternalError(curl_multi_strerror(code));
  // Saves the trip through the loop that curl asks for.
  Drive(CURL_SOCKET_TIMEOUT, 0);
  return absl::OkStatus();
}

void CurlMulti::Remove(CURL* easy) {
  curl_multi_remove_handle(multi_, easy);
  ForgetClosed();
}

curl_socket_t CurlMulti::OpenSocket(const curl_sockaddr& address) {
  const int fd = ::socket(address.family, address.socktype | SOCK_CLOEXEC,
                          address.protocol);
  if (fd < 0) return CURL_SOCKET_BAD;
  Forget(fd);  // what bore the number before is gone
  if (WatchOf(fd, true) == nullptr) {
    ::close(fd);
    return CURL_SOCKET_BAD;
  }
  return fd;
}

int CurlMulti::CloseSocket(void* self, curl_socket_t fd) {
  static_cast<CurlMulti*>(self)->Forget(fd);
  return 0;
}

// Closes `fd` if it is ours still; waits under way end without effect.
void CurlMulti::Forget(curl_socket_t fd) {
  const auto found = watches_.find(fd);
  if (found == watches_.end()) return;
  const std::shared_ptr<Watch> watch = found->second;
  watches_.erase(found);
  watch->wanted = CURL_POLL_NONE;
  boost::system::error_code ignored;
  if (watch->MayClose()) {
    watch->descriptor.close(ignored);
  } else {
    watch->descriptor.release();
  }
}

// libcurl 7.88 closes a socket that never connected (an attempt given up, the
// address that lost) by itself, whatever CURLOPT_CLOSESOCKETFUNCTION says. A
// watch left behind would deafen the next socket of that number.
void CurlMulti::ForgetClosed() {
  for (const curl_socket_t fd : let_go_) {
    const auto found = watches_.find(fd);
    if (found != watches_.end() && !found->second->Lives()) Forget(fd);
  }
  let_go_.clear();
}

std::shared_ptr<CurlMulti::Watch> CurlMulti::WatchOf(curl_socket_t fd,
                                                     bool owned) {
  const auto found = watches_.find(fd);
  if (found != watches_.end()) return found->second;
  try {
    auto watch = std::make_shared<Watch>(loop_, fd, owned);
    watches_.emplace(fd, watch);
    return watch;
  } catch (const boost::system::system_error&) {
    return nullptr;  // epoll is full
  }
}

int CurlMulti::OnSocket(CURL* /*easy*/, curl_socket_t fd, int what, void* self,
                        void* /*watch*/) {
  auto& multi = *static_cast<CurlMulti*>(self);
  if (what == CURL_POLL_REMOVE) {
    const auto found = multi.watches_.find(fd);
    if (found == multi.watches_.end()) return 0;
    found->second->wanted = CURL_POLL_NONE;
    if (!found->second->owned) {
      multi.Forget(fd);
    } else if (!found->second->connected) {
      multi.let_go_.push_back(fd);
    }
    return 0;
  }
  const std::shared_ptr<Watch> watch = multi.WatchOf(fd, false);
  if (watch == nullptr) return -1;
  watch->wanted = what;
  if (what == CURL_POLL_IN) {
    watch->connected = true;
    if (watch->owned && !watch->ForgetWrites()) {
      multi.watches_.erase(fd);
      return -1;
    }
  }
  multi.Arm(watch);
  return 0;
}

// A side that is no longer wanted keeps its wait: connections alternate
// between idle and busy, and a wait left armed costs nothing.
void CurlMulti::Arm(const std::shared_ptr<Watch>& watch) {
  for (const int side : {CURL_POLL_IN, CURL_POLL_OUT}) {
    if ((watch->wanted & ~watch->armed & side) != 0) ArmSide(watch, side);
  }
}

void CurlMulti::ArmSide(const std::shared_ptr<Watch>& watch, int side) {
  watch->armed |= side;
  if (side == CURL_POLL_OUT) watch->asked_writes = true;
  const auto wait = side == CURL_POLL_IN
                        ? asio::posix::stream_descriptor::wait_read
                        : asio::posix::stream_descriptor::wait_write;
  watch->descriptor.async_wait(wait,
                               [weak = weak_from_this(), watch,
                                side](const boost::system::error_code& error) {
                                 watch->armed &= ~side;
                                 if (error || (watch->wanted & side) == 0)
                                   return;
                                 if (const auto multi = weak.lock())
                                   multi->OnReady(watch, side);
                               });
}

void CurlMulti::OnReady(const std::shared_ptr<Watch>& watch, int side) {
  DriveFromLoop(watch->descriptor.native_handle(),
                side == CURL_POLL_IN ? CURL_CSELECT_IN : CURL_CSELECT_OUT);
  Arm(watch);
}

void CurlMulti::Call(std::weak_ptr<CurlCompletion> who) {
  called_.push_back(std::move(who));
  if (std::exchange(calling_soon_, true)) return;
  asio::post(loop_, [weak = weak_from_this()] {
    if (const auto multi = weak.lock()) multi->CallAll();
  });
}

void CurlMulti::CallAll() {
  // Those who are called may call others, who have a turn of their own then.
  calling_soon_ = false;
  std::vector<std::weak_ptr<CurlCompletion>> called;
  called.swap(called_);
  for (const auto& weak : called) {
    if (const auto who = weak.lock()) who->OnCalled();
  }
}

void CurlMulti::DriveFromLoop(curl_socket_t fd, int events) {
  const bool ours = !std::exchange(calling_soon_, true);
  Drive(fd, events);
  if (ours) CallAll();
}

int CurlMulti::OnTimer(CURLM* /*multi*/, long timeout_ms, void* self) {
  auto& multi = *static_cast<CurlMulti*>(self);
  if (timeout_ms < 0) {
    multi.due_.reset();
    return 0;
  }
  const TimePoint at =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  multi.due_ = at;
  if (timeout_ms == 0) {
    multi.PostDrive();
  } else if (!multi.armed_for_ || at < *multi.armed_for_) {
    multi.ArmTimer(at);
  }
  return 0;
}

// Curl moves its timer several times per request; one that fires too early
// and looks again is cheaper than moving Asio's as often.
void CurlMulti::ArmTimer(TimePoint at) {
  armed_for_ = at;
  timer_.expires_at(at);
  timer_.async_wait(
      [weak = weak_from_this()](const boost::system::error_code& error) {
        const auto multi = error ? nullptr : weak.lock();
        if (multi != nullptr) multi->OnTimerFired();
      });
}

void CurlMulti::OnTimerFired() {
  armed_for_.reset();
  if (!due_) return;
  if (*due_ > std::chrono::steady_clock::now()) {
    ArmTimer(*due_);
    return;
  }
  due_.reset();
  DriveFromLoop(CURL_SOCKET_TIMEOUT, 0);
}

void CurlMulti::PostDrive() {
  if (std::exchange(drive_posted_, true)) return;
  asio::post(loop_, [weak = weak_from_this()] {
    const auto multi = weak.lock();
    if (multi == nullptr) return;
    multi->drive_posted_ = false;
    if (!multi->due_ || *multi->due_ > std::chrono::steady_clock::now()) {
      return;  // done by a drive in between
    }
    multi->due_.reset();
    multi->DriveFromLoop(CURL_SOCKET_TIMEOUT, 0);
  });
}

void CurlMulti::Drive(curl_socket_t fd, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, fd, events, &running);
  ForgetClosed();
  int queued = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &queued)) {
    if (message->msg != CURLMSG_DONE) continue;
    CurlCompletion* completion = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &completion);
    completion->OnDone(message->data.result);
  }
}

}  // namespace llm
