"""Every place an attempt can run at: this machine, asyncssh, OpenSSH; under dash, bash and busybox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from cockpit.remote.base import Runner
from cockpit.remote.here import HereRunner
from cockpit.remote.ssh import SshRunner
from tests.remote import inprocess
from tests.remote.station import Station, shell_path
from tests.sshd import Sshd
from tests.weight import often

PLACES = (
    "here-dash",
    "here-bash",
    "here-busybox",
    "asyncssh-dash",
    "openssh-dash",
    "openssh-bash",
    "openssh-busybox",
)
OFTEN = ("here-dash", "here-busybox", "asyncssh-dash", "openssh-bash", "openssh-busybox")
"""Each shell, and each way there, at least once; the command shell of most servers over the real one."""


@pytest.fixture(scope="session")
def sshds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Sshd]]:
    """A server for each shell, by the shell's name, started when first asked for."""
    servers: dict[str, Sshd] = {}
    for shell in ("dash", "bash", "busybox"):
        path = tmp_path_factory.mktemp(shell)
        servers[shell] = Sshd(path, env={"PATH": shell_path(path / "bin", shell)})
    yield servers
    for server in servers.values():
        server.stop()


@pytest.fixture(params=often(PLACES, OFTEN))
async def station(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Station]:
    """One of PLACES, with nothing on it yet."""
    place, _, shell = request.param.partition("-")
    state = tmp_path / "state"
    async with AsyncExitStack() as stack:
        if place == "openssh":
            sshd = request.getfixturevalue("sshds")[shell]
            sshd.state.unlink(missing_ok=True)
            state.mkdir()
            sshd.state.symlink_to(state)
            if not sshd.running:
                sshd.start()
            station = Station(
                lambda driver: SshRunner([sshd.target("web-1")], sshd.settings(), driver=driver),
                "web-1",
                state,
            )
        else:
            monkeypatch.setenv("XDG_STATE_HOME", str(state))
            monkeypatch.setenv("PATH", shell_path(tmp_path / "bin", shell))
            station = Station(HereRunner, "here", state)
            if place == "asyncssh":
                server = await stack.enter_async_context(inprocess.server(tmp_path))

                def over(driver: object) -> Runner:
                    return SshRunner([server.target()], server.settings, driver=driver)  # pyright: ignore

                station = Station(over, "web-1", state)
        yield station
        for runner in station.runners:
            await runner.close()
