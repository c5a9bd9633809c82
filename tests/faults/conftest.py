"""Fault tests: crashes are told as a table."""

from __future__ import annotations

import pytest

from tests.faults.crashes import Crash, table


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [r for outcome in ("passed", "failed") for r in terminalreporter.stats.get(outcome, ())]
    told = [value for report in reports for name, value in report.user_properties]
    if told:
        terminalreporter.section("cockpit ended at its failpoints, and taken up again")
        terminalreporter.write("\n".join(table(Crash(**crash) for crash in told)) + "\n")
