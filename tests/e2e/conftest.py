"""Fixtures shared by the end-to-end tests."""

import pytest

import harness


@pytest.fixture(scope="session")
def simulator():
    running = harness.Simulator()
    yield running
    running.close()


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
