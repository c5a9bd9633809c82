"""Fixtures that several kinds of tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sshd import Sshd

COVERING = ("core", "steps", "signals", "planfile", "export", "store")
"""The tests that are traced for coverage: those of pure code. Tracing takes the rest three times as long."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only tests that are about the covered code count for it, and none that searches at random."""
    for item in items:
        if item.path.parent.name not in COVERING or item.path.name == "test_machine.py":
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture(scope="session", autouse=True)
def _state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:  # pyright: ignore[reportUnusedFunction]
    """What is kept between runs, by us or by an attempt on this machine, never lands in the developer's home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def sshd_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """One server for the whole run."""
    server = Sshd(tmp_path_factory.mktemp("sshd"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def sshd(sshd_server: Sshd) -> Sshd:
    """The shared server, running and trusted, whatever the test before did to it."""
    if not sshd_server.running:
        sshd_server.start()
    return sshd_server
