"""Fault tests: slow ones only where asked for; crashes are told as a table."""

from __future__ import annotations

import pytest

from tests.faults.crashes import Crash, table

SLOW = "faults_slow"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{SLOW}: takes more than a few seconds; `make faults` runs it")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.markexpr or config.option.keyword or any("::" in word for word in config.args):
        return  # whoever asks for certain tests gets them
    slow = [item for item in items if item.get_closest_marker(SLOW)]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker(SLOW)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [r for outcome in ("passed", "failed") for r in terminalreporter.stats.get(outcome, ())]
    told = [value for report in reports for name, value in report.user_properties]
    if told:
        terminalreporter.section("cockpit ended at its failpoints, and taken up again")
        terminalreporter.write("\n".join(table(Crash(**crash) for crash in told)) + "\n")
