#include "router/admission.h"

namespace llm {
namespace {

class OpenReservation : public Reservation {
 public:
  void Settle(const RequestRecord&) override {}
};

class OpenAdmission : public Admission {
 public:
  Task<absl::StatusOr<std::unique_ptr<Reservation>>> Admit(
      const CallIdentity&, const WorstCase&) override {
    std::unique_ptr<Reservation> held = std::make_unique<OpenReservation>();
    co_return held;
  }
};

}  // namespace

std::unique_ptr<Admission> MakeOpenAdmission() {
  return std::make_unique<OpenAdmission>();
}

}  // namespace llm
