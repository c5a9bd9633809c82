"""Fixtures that several kinds of tests share."""

from __future__ import annotations

import gc
import pkgutil
import signal
from collections.abc import Generator, Iterator
from importlib import import_module
from typing import Any

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
    gc.set_threshold(50_000, 20, 20)  # as the command line does it
    # In the background of a script ctrl+c is ignored, and after nohup a hang-up, by all that is started from there too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)
    for name, told in LONG.items():
        config.addinivalue_line("markers", f"{name}: {told}")


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Trace how the covered code is imported, then nothing until its tests: traced, collecting takes thrice as long."""
    if (coverage := _coverage(session.config)) is None:
        return
    if not hasattr(session.config, "workerinput"):
        for package in COVERING:
            for module in pkgutil.iter_modules(import_module(f"cockpit.{package}").__path__):
                import_module(f"cockpit.{package}.{module.name}")
    coverage.pause()
    while (begun := coverage.cov.current()) is not None:
        begun.stop()  # a worker begins one more, which nobody reads and which goes on when its own is paused


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """Only tests that are about the covered code count for it, and none that searches at random."""
    coverage = _coverage(item.config)
    if coverage is not None and _counts(item) and not coverage.started:
        coverage.resume()
    try:
        return (yield)
    finally:
        if coverage is not None and coverage.started and not (nextitem and _counts(nextitem)):
            coverage.pause()


def _counts(item: pytest.Item) -> bool:
    return item.path.parent.name in COVERING and item.path.name != "test_machine.py"


def _coverage(config: pytest.Config) -> Any:
    """What traces, where coverage was asked for."""
    return getattr(config.pluginmanager.getplugin("_cov"), "cov_controller", None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.markexpr or config.option.keyword or any("::" in word for word in config.args):
        return  # whoever asks for certain tests gets them
    if left_out := [item for item in items if _takes_long(item)]:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not _takes_long(item)]


def pytest_collection_finish() -> None:
    """What was imported and collected stays: looked through at every collection of rubbish, it takes a fifth of all."""
    gc.freeze()


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
