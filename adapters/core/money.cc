#include "adapters/core/money.h"
