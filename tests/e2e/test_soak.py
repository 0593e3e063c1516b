"""A minute of everything; soak.py --minutes 10 is the long form."""

import harness
import soak

SANITIZED = "san" in harness.BUILD.name


def test_a_minute_of_everything_leaves_memory_flat():
    samples = soak.soak(20 if SANITIZED else 60, 10, harness.report)
    if not SANITIZED:
        soak.check_flat(samples, 3)
