"""A running fleet for the tests of this directory, and a way in."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import asyncssh
import pytest
import pytest_asyncio

from cockpit.demo.fleet import Fleet
from cockpit.demo.hosts import PREVIOUS_VERSION, lay_out
from tests.demo.reach import login


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Fleet]:
    async with Fleet.start(tmp_path_factory.mktemp("fleet"), hosts=2) as fleet:
        yield fleet


@pytest.fixture
def fleet(running: Fleet) -> Fleet:
    """A fleet as it begins: the previous version everywhere, empty ledgers."""
    for host in running.hosts:
        lay_out(host.dir, PREVIOUS_VERSION)
        host.ledger.write_text("")
    return running


@pytest_asyncio.fixture
async def web_1(fleet: Fleet) -> AsyncGenerator[asyncssh.SSHClientConnection]:
    async with login(fleet) as connection:
        yield connection
