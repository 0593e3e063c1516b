#include "adapters/core/json.h"
