"""After thousands of calls of every outcome, everything is back.

The counts go down under sanitizers, where a leak also ends in an exit code.
"""

import harness
import soak
import wire

SANITIZED = "san" in harness.BUILD.name
CALLS = 1000 if SANITIZED else 10000


def test_ten_thousand_outcomes_leave_nothing_behind():
    mix = soak.Mix()
    try:
        mix.run(calls=CALLS // 10)
        mix.quiesce()
        files, resident = wire.open_files(mix.pid), wire.memory(mix.pid)
        done = mix.run(calls=CALLS)
        mix.quiesce()
        after = wire.open_files(mix.pid), wire.memory(mix.pid)
        harness.report(
            f"{done} mixed outcomes: open files {files} -> {after[0]}, RSS "
            f"{resident / 2**20:.1f} -> {after[1] / 2**20:.1f} MiB")
        # Idle connections to providers are kept, one per caller at most.
        assert after[0] <= files + 2 * mix.workers
        if not SANITIZED:
            assert after[1] < resident * 1.25 + (16 << 20)
        assert mix.close() == 0
    finally:
        if mix.service.process.poll() is None:
            mix.close()
