#include "adapters/core/failure.h"

namespace llm {}  // namespace llm
