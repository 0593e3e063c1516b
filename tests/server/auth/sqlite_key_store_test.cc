#include "server/auth/sqlite_key_store.h"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <thread>

#include "tests/support/fake_clock.h"
#include "tests/support/run_task.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace llm::server {
namespace {

using CreateResult = absl::StatusOr<v1::CreateKeyResponse>;
using ListResult = absl::StatusOr<v1::ListKeysResponse>;
using RevokeResult = absl::StatusOr<v1::RevokeKeyResponse>;

// StatusOr has no empty value, which RunTask asks for.
template <typename T>
Task<void> Keep(Task<T> task, std::shared_ptr<std::optional<T>> result) {
  result->emplace(co_await std::move(task));
}

template <typename T>
T Await(Task<T> task) {
  boost::asio::io_context io;
  const auto result = std::make_shared<std::optional<T>>();
  RunTask(io, Keep(std::move(task), result));
  return **result;
}

class KeyFixture {
 public:
  std::string path() const { return dir_.File("keys.db"); }
  const TempDir& dir() const { return dir_; }
  FakeClock& clock() { return clock_; }
  std::unique_ptr<SqliteKeyStore> Open() {
    return std::make_unique<SqliteKeyStore>(path(), &clock_, &random_);
  }
  v1::CreateKeyResponse Create(KeyStore& store,
                               v1::CreateKeyRequest request = {}) {
    if (request.name().empty()) request.set_name("test");
    CreateResult made = Await(store.Create(request));
    REQUIRE_THAT(made, IsOk());
    return *made;
  }

 private:
  TempDir dir_;
  FakeClock clock_;
  SystemRandom random_;
};

// Asks until `done` or the two seconds of SEC-8 are over.
bool WithinTwoSeconds(const std::function<bool()>& done) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (std::chrono::steady_clock::now() < until) {
    if (done()) return true;
    std::this_thread::yield();
  }
  return done();
}

TEST_CASE("A made key counts at once, with what was given to it",
          "[auth][keys]") {
  KeyFixture fixture;
  auto store = fixture.Open();
  v1::CreateKeyRequest request;
  request.set_name("desk");
  request.set_org("acme");
  request.set_team("quants");
  request.set_user("ann");
  request.add_models("deepseek-chat");
  request.add_models("openai/gpt-4o:x");
  request.set_org_admin(true);
  const v1::CreateKeyResponse made = fixture.Create(*store, request);
  CHECK(made.key().id().rfind("key_", 0) == 0);
  CHECK(made.key().prefix() == made.secret().substr(0, 7));
  const auto caller = store->Check(made.secret(), fixture.clock().WallNow());
  REQUIRE_THAT(caller, IsOk());
  CHECK(caller->key_id == KeyId{made.key().id()});
  CHECK(caller->tenant == made.key().id());
  CHECK(caller->org == "acme");
  CHECK(caller->team == "quants");
  CHECK(caller->user == "ann");
  CHECK(caller->org_admin);
  CHECK_FALSE(caller->admin);
  CHECK(caller->allowed_models ==
        std::vector<std::string>{"deepseek-chat", "openai/gpt-4o:x"});
}

TEST_CASE("Unknown, malformed, revoked and expired are refused alike",
          "[auth][keys][SEC-7]") {
  KeyFixture fixture;
  auto store = fixture.Open();
  v1::CreateKeyRequest request;
  request.set_name("short");
  request.set_expires_at(absl::FormatTime(
      absl::RFC3339_full, fixture.clock().WallNow() + absl::Hours(1),
      absl::UTCTimeZone()));
  const v1::CreateKeyResponse expiring = fixture.Create(*store, request);
  const v1::CreateKeyResponse revoked = fixture.Create(*store);
  REQUIRE_THAT(Await<RevokeResult>(store->Revoke(revoked.key().id())), IsOk());
  const absl::Time now = fixture.clock().WallNow();
  REQUIRE_THAT(store->Check(expiring.secret(), now), IsOk());

  const absl::Status unknown = store->Check(MakeKeySecret(), now).status();
  CHECK_THAT(unknown, HasCode(absl::StatusCode::kUnauthenticated));
  CHECK(store->Check("", now).status() == unknown);
  CHECK(store->Check("sk-' OR '1'='1", now).status() == unknown);
  CHECK(store->Check(std::string(100'000, 's'), now).status() == unknown);
  CHECK(store->Check(revoked.secret(), now).status() == unknown);
  CHECK(store->Check(expiring.secret(), now + absl::Hours(1)).status() ==
        unknown);
}

TEST_CASE("A key made or revoked at one store counts at the other in time",
          "[auth][keys][SEC-8]") {
  KeyFixture fixture;
  auto one = fixture.Open();
  auto two = fixture.Open();
  const absl::Time now = fixture.clock().WallNow();
  const v1::CreateKeyResponse made = fixture.Create(*one);
  CHECK(WithinTwoSeconds([&] { return two->Check(made.secret(), now).ok(); }));
  REQUIRE_THAT(Await<RevokeResult>(two->Revoke(made.key().id())), IsOk());
  CHECK_FALSE(two->Check(made.secret(), now).ok());
  CHECK(WithinTwoSeconds([&] { return !one->Check(made.secret(), now).ok(); }));
}

TEST_CASE("Keys survive a restart", "[auth][keys]") {
  KeyFixture fixture;
  const v1::CreateKeyResponse made = fixture.Create(*fixture.Open());
  CHECK_THAT(fixture.Open()->Check(made.secret(), fixture.clock().WallNow()),
             IsOk());
}

TEST_CASE("Revoking twice succeeds and keeps the first time", "[auth][keys]") {
  KeyFixture fixture;
  auto store = fixture.Open();
  const v1::CreateKeyResponse made = fixture.Create(*store);
  const RevokeResult first =
      Await<RevokeResult>(store->Revoke(made.key().id()));
  REQUIRE_THAT(first, IsOk());
  CHECK_FALSE(first->key().revoked_at().empty());
  fixture.clock().Advance(absl::Hours(1));
  const RevokeResult again =
      Await<RevokeResult>(store->Revoke(made.key().id()));
  REQUIRE_THAT(again, IsOk());
  CHECK(again->key().revoked_at() == first->key().revoked_at());
  CHECK_THAT(Await<RevokeResult>(store->Revoke("key_none")),
             HasCode(absl::StatusCode::kNotFound));
}

TEST_CASE("The list shows keys, and revoked ones when asked", "[auth][keys]") {
  KeyFixture fixture;
  auto store = fixture.Open();
  const v1::CreateKeyResponse kept = fixture.Create(*store);
  const v1::CreateKeyResponse gone = fixture.Create(*store);
  REQUIRE_THAT(Await<RevokeResult>(store->Revoke(gone.key().id())), IsOk());
  const ListResult live = Await<ListResult>(store->List(false));
  REQUIRE_THAT(live, IsOk());
  REQUIRE(live->keys_size() == 1);
  CHECK(live->keys(0).id() == kept.key().id());
  CHECK(live->keys(0).created_at() == kept.key().created_at());
  const ListResult all = Await<ListResult>(store->List(true));
  REQUIRE_THAT(all, IsOk());
  CHECK(all->keys_size() == 2);
}

TEST_CASE("A key that makes no sense is refused by name", "[auth][keys]") {
  KeyFixture fixture;
  auto store = fixture.Open();
  v1::CreateKeyRequest request;
  request.set_name("test");
  std::string field;
  SECTION("no name") {
    request.clear_name();
    field = "name";
  }
  SECTION("a name that is too long") {
    request.set_name(std::string(129, 'n'));
    field = "name";
  }
  SECTION("an expiry that is no time") {
    request.set_expires_at("tomorrow");
    field = "expires_at";
  }
  SECTION("an expiry in the past") {
    request.set_expires_at("2001-01-01T00:00:00Z");
    field = "expires_at";
  }
  SECTION("an endless expiry") {
    request.set_expires_at("infinite-future");
    field = "expires_at";
  }
  SECTION("an empty model") {
    request.add_models("");
    field = "models";
  }
  const CreateResult made = Await<CreateResult>(store->Create(request));
  CHECK_THAT(made, HasCode(absl::StatusCode::kInvalidArgument));
  CHECK(std::string(made.status().message()).rfind(field + ":", 0) == 0);
}

TEST_CASE("No file of the store holds a secret", "[auth][keys][SEC-5]") {
  KeyFixture fixture;
  auto store = fixture.Open();
  const v1::CreateKeyResponse made = fixture.Create(*store);
  REQUIRE_THAT(Await<RevokeResult>(store->Revoke(made.key().id())), IsOk());
  store.reset();
  bool prefix_seen = false;
  for (const auto& entry :
       std::filesystem::directory_iterator(fixture.dir().path())) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    CHECK(bytes.find(made.secret()) == std::string::npos);
    CHECK(bytes.find(made.secret().substr(8)) == std::string::npos);
    prefix_seen =
        prefix_seen || bytes.find(made.key().prefix()) != std::string::npos;
  }
  CHECK(prefix_seen);
}

TEST_CASE("Keys that were never read are unavailable, not wrong",
          "[auth][keys][ERR-3]") {
  FakeClock clock;
  SystemRandom random;
  SqliteKeyStore store("/nonexistent/folder/keys.db", &clock, &random);
  CHECK_THAT(store.Check(MakeKeySecret(), clock.WallNow()),
             HasCode(absl::StatusCode::kUnavailable));
  v1::CreateKeyRequest request;
  request.set_name("test");
  CHECK_THAT(Await<CreateResult>(store.Create(request)),
             HasCode(absl::StatusCode::kUnavailable));
}

TEST_CASE("Keys that were read go on counting while the store is locked",
          "[auth][keys][OPS-1]") {
  KeyFixture fixture;
  auto store = fixture.Open();
  const v1::CreateKeyResponse made = fixture.Create(*store);
  auto other = Database::Open(fixture.path(), absl::Seconds(30));
  REQUIRE_THAT(other, IsOk());
  REQUIRE_THAT((*other)->Execute("BEGIN IMMEDIATE"), IsOk());
  CHECK_THAT(Await<RevokeResult>(store->Revoke(made.key().id())),
             HasCode(absl::StatusCode::kUnavailable));
  CHECK_THAT(store->Check(made.secret(), fixture.clock().WallNow()), IsOk());
}

TEST_CASE("Keys not verified for a minute are unavailable, not wrong",
          "[auth][keys][ERR-3][SEC-8]") {
  KeyFixture fixture;
  auto store = fixture.Open();
  const v1::CreateKeyResponse made = fixture.Create(*store);
  const std::string unknown = MakeKeySecret();
  const auto check = [&](const std::string& secret) {
    return store->Check(secret, fixture.clock().WallNow()).status();
  };
  store->Stop();  // nothing reads the store any more
  fixture.clock().Advance(absl::Seconds(60));
  CHECK_THAT(check(made.secret()), IsOk());
  CHECK_THAT(store->Health(), IsOk());
  fixture.clock().Advance(absl::Seconds(1));
  CHECK_THAT(check(made.secret()), HasCode(absl::StatusCode::kUnavailable));
  CHECK_THAT(check(unknown), HasCode(absl::StatusCode::kUnavailable));
  CHECK_THAT(store->Health(), HasCode(absl::StatusCode::kUnavailable));
}

TEST_CASE("Checks run beside changes", "[auth][keys][threads]") {
  KeyFixture fixture;
  auto store = fixture.Open();
  const v1::CreateKeyResponse made = fixture.Create(*store);
  const absl::Time now = fixture.clock().WallNow();
  std::atomic<bool> stop{false};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        if (!store->Check(made.secret(), now).ok()) ++refused;
      }
    });
  }
  for (int i = 0; i < 10; ++i) fixture.Create(*store);
  stop = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(refused == 0);
}

}  // namespace
}  // namespace llm::server
