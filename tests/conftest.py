"""Fixtures that several kinds of tests share."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.sshd import Sshd

COVERING = ("core", "steps", "signals")
"""The tests that are traced for coverage: those of the covered code itself. Traced, a test takes twice as long."""

LONG = {
    "faults_slow": "a fault that takes more than a few seconds; `make faults` runs it",
    "long": "one of a large grid, or minutes of searching; `make soak` runs it",
}
"""What runs only where it is asked for."""

# The same examples each time, however busy the machine is; `make soak` draws others, and many more.
settings.register_profile("check", deadline=None, max_examples=50, derandomize=True, database=None)
settings.register_profile("soak", deadline=None, max_examples=3000)
settings.load_profile("check")


def pytest_configure(config: pytest.Config) -> None:
    # In the background of a script, ctrl+c is ignored, by all that is started from there as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name, told in LONG.items():
        config.addinivalue_line("markers", f"{name}: {told}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Only tests that are about the covered code count for it, and none that searches at random."""
    for item in items:
        if item.path.parent.name not in COVERING or item.path.name == "test_machine.py":
            item.add_marker(pytest.mark.no_cover)
    if config.option.markexpr or config.option.keyword or any("::" in word for word in config.args):
        return  # whoever asks for certain tests gets them
    if left_out := [item for item in items if _takes_long(item)]:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not _takes_long(item)]


def pytest_collection_finish() -> None:
    """What was imported and collected stays: looked through at every collection of rubbish, it takes a fifth of all."""
    gc.freeze()
    gc.set_threshold(5_000, 10, 10)


def _takes_long(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in LONG)


@pytest.fixture(scope="session", autouse=True)
def _state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:  # pyright: ignore[reportUnusedFunction]
    """What is kept between runs, by us or by an attempt on this machine, never lands in the developer's home.

    Nor does anything depend on what the developer has set there.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
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
