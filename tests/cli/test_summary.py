"""What stays in the terminal after a release: whole, plain, and short."""

from __future__ import annotations

from pathlib import Path

import pytest

from cockpit.cli import summary
from tests.cli.shell import cockpit, write
from tests.golden.facts import folded
from tests.golden.verified import HERE, LOGS, contents, private
from tests.sshd import Sshd

MOST = 12


def told(name: str, directory: Path) -> list[str]:
    """The summary of a golden log."""
    log = private(HERE / f"0.1-{name}.db", directory)
    events, plan = contents(log)
    return summary.over(folded(events, plan), events, events[-1].at, log).splitlines()


def test_a_release_that_went_back_says_what_is_true_who_decided_and_which_limit(tmp_path: Path) -> None:
    lines = told("rolled-back", tmp_path)
    assert lines[:2] == [
        "rolled back: 2026.11.2 proven on every touched target",
        "on targets: 2026.11.2 (rolled back, proven) on web-1; "
        "2026.11.2 (not touched) on web-2, web-3, web-4 and 2 more",
    ]
    assert lines[2].startswith("took: 10 s from the go to the close, ")
    assert lines[3:5] == [
        "decided: the start by Dana Ruiz; “canary” by cockpit; the rollback by the limit errors > 5",
        "limits hit: errors > 5 on web-1",
    ]
    assert lines[-2].startswith("review it: cockpit review ")
    assert lines[-1].startswith("report: cockpit export ")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("completed", "on targets: 2026.11.3 (updated, proven) on web-1, web-2, web-3 and 3 more"),
        (
            "excluded",
            "on targets: 2026.11.3 (updated, proven) on web-1, web-3; excluded, not proven on web-2",
        ),
        ("partial", "on targets: rolled back, not proven on web-1; 2026.11.2 (not touched) on web-2, web-3"),
        ("aborted", "decided: the start and the abort by Dana Ruiz; “canary” by cockpit"),
        ("handed-over", "limits hit: none"),
        ("reviewed", "to do: 1 open action, `cockpit actions` lists them"),
    ],
)
def test_each_outcome_says_what_became_of_it(name: str, says: str, tmp_path: Path) -> None:
    assert says in told(name, tmp_path)


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
def test_it_is_short_and_plain(log: Path, tmp_path: Path) -> None:
    events, plan = contents(private(log, tmp_path))
    state = folded(events, plan)
    text = summary.over(state, events, events[-1].at, tmp_path / "none") if state.closed else ""
    text = text or summary.under_way(state, events)
    assert len(text.splitlines()) <= MOST - 3  # besides where the log is, and its head
    assert "\x1b" not in text
    assert "review it" not in text  # there is no log that could be


def test_a_headless_release_ends_with_it_on_standard_error_alone(
    home: dict[str, str], tmp_path: Path, sshd: Sshd
) -> None:
    done = cockpit(home, write(tmp_path, sshd), "--headless", "--as", "dana")
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert len(lines) <= MOST
    log, head, outcome, targets, took, decided, limits, review, report = lines
    assert Path(log.removeprefix("log ")).is_file()
    noted = cockpit(home, "verify", log.removeprefix("log "), "--head", head.removeprefix("head "))
    assert (noted.returncode, noted.stdout.splitlines()[1]) == (0, head), noted.stdout + noted.stderr
    assert (outcome, targets) == ("completed: small 2 is out", "on targets: 2 (updated, not proven) on web-1")
    assert took.startswith("took: ")
    assert decided == "decided: the start by Dana Ruiz; “web” by cockpit"
    assert limits == "limits hit: none"
    assert review.startswith("review it: ") and report.startswith("report: ")
    assert not any(line in done.stdout for line in lines)
