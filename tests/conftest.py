"""Fixtures that several kinds of tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sshd import Sshd


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
