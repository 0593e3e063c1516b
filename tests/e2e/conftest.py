"""Fixtures shared by the end-to-end tests."""

import os

import pytest

import harness


@pytest.fixture(scope="session")
def simulator():
    running = harness.Simulator()
    yield running
    running.close()


def pytest_sessionfinish(session, exitstatus):
    """What a failed test left is evidence."""
    if exitstatus == 1:
        os.environ["LLM_KEEP"] = "1"


@pytest.fixture
def service(request):
    """A factory of services that are stopped at the end of the test."""
    started = []

    def start(*args, **kwargs):
        running = harness.Service(*args, **kwargs)
        started.append(running)
        return running

    yield start
    for running in started:
        if running.process.poll() is None:
            running.stop()
