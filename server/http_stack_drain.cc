// The end of an HttpStack, and of what a drain leaves behind.
#include <algorithm>
#include <thread>

#include "server/http_stack_parts.h"

namespace llm::server {

namespace {

// A balancer that asks /readyz once a second hears of the end before the doors
// close; short drains are for tests and for those in a hurry.
absl::Duration DrainGrace(absl::Duration drain) {
  return std::min(drain / 3, absl::Seconds(1));
}

// After the grace, with the doors still open: for callers that keep coming.
absl::Duration RefusalTime(absl::Duration drain) {
  return DrainGrace(drain) / 2;
}

void Sleep(absl::Duration time) {
  std::this_thread::sleep_for(absl::ToChronoMilliseconds(time));
}

// For rows to reach the store after the last call.
constexpr absl::Duration kStorePatience = absl::Seconds(10);

}  // namespace

void HttpStack::Parts::StopLoops() {
  if (probes) probes->Stop();
  if (!std::exchange(stopped, true)) (void)EndLoneCalls();
  for (const Worker& worker : workers) worker.loop->Stop();
  for (const Worker& worker : workers) worker.loop->Join();
}

void HttpStack::BeginDrain() {
  parts_->state.draining = true;
  parts_->probes->Stop();
}

void HttpStack::AwaitGrace() {
  const absl::Duration drain = parts_->config->server.drain;
  Sleep(DrainGrace(drain));
  parts_->state.refusing = true;
  Sleep(RefusalTime(drain));
}

bool HttpStack::Parts::ShutDoors(absl::Duration patience) {
  bool admin_clean = true;
  std::thread admin([&] {
    if (admin_http) admin_clean = admin_http->Shutdown(patience);
  });
  const bool clean = !http || http->Shutdown(patience);
  admin.join();
  return clean && admin_clean;
}

bool HttpStack::CloseDoors() { return parts_->ShutDoors(DrainLeft()); }

void HttpStack::Hurry() {
  parts_->http->Hurry();
  parts_->admin_http->Hurry();
}

// Nobody can come back for their answers, but their rows are to be written.
bool HttpStack::Parts::EndLoneCalls() {
  idempotency.CutAlone();
  for (int i = 0; i < 200 && idempotency.alone() > 0; ++i) {
    Sleep(absl::Milliseconds(10));
  }
  return idempotency.alone() == 0;
}

bool HttpStack::EndLoneCalls() { return parts_->EndLoneCalls(); }

absl::Duration HttpStack::DrainLeft() const {
  const absl::Duration drain = parts_->config->server.drain;
  return drain - DrainGrace(drain) - RefusalTime(drain);
}

absl::Status HttpStack::Finish() {
  // Last of the doors, so that a scrape sees the drain.
  parts_->metrics_http->Shutdown(absl::Seconds(1));
  parts_->StopLoops();
  return parts_->store->Close(kStorePatience);
}

}  // namespace llm::server
