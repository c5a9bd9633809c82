"""What each exit code means: the one table behind `--help`, docs/exit-codes.md and the codes themselves."""

from __future__ import annotations

from typing import NamedTuple


class Exit(NamedTuple):
    """A code: its word, what it says of a release, what it says of one act or a look, and what to do."""

    code: int
    word: str
    release: str
    otherwise: str
    do: str


EXITS = (
    Exit(
        0,
        "completed",
        "the plan went through to its end, on every target",
        "an act: it is on record. check, doctor: nothing stands in the way. verify: the log is sound",
        "nothing; `cockpit review` asks what cost time",
    ),
    Exit(
        1,
        "aborted or refused",
        "it was stopped and left as it is; or cockpit itself broke",
        "an act: it was refused, nothing changed. verify: the log is not sound, or its outcome is not true. "
        "rehearse: a limit never fired. sessions --push: something couldn't be pushed",
        "read the message: it says what may be done instead; `cockpit sessions` shows how it stands",
    ),
    Exit(
        2,
        "plan or usage",
        "nothing was opened: the plan or the command line can't be used",
        "the same of every command",
        "mend what the message names, then run it again",
    ),
    Exit(
        3,
        "rolled back",
        "it was undone, and every touched target has proven it",
        "",
        "the version before is out; `cockpit review` says why it went back",
    ),
    Exit(
        4,
        "partial or in doubt",
        "something is unresolved: a target isn't proven, or what became of a step isn't known",
        "an act: the session is out of reach, and may have done it",
        "look at the targets that are named: `cockpit export` lists them; of an act ask again with its --id",
    ),
    Exit(
        5,
        "not ready",
        "nothing ran: something stands in the way of the start",
        "check, doctor: what stands in the way is listed",
        "settle what is listed, or start anyway with --override REASON, which is kept",
    ),
    Exit(
        6,
        "held",
        "nothing ran: another session has this service and environment, or a target",
        "",
        "`cockpit attach` to that session; take it over with --take-over REASON only where it is dead",
    ),
    Exit(
        75,
        "log failed",
        "the log can't be written: nothing more was started, what ran goes on on its targets",
        "the log can't be read or written",
        "free the disk or mend the permissions, then `cockpit resume`",
    ),
    Exit(
        130,
        "left",
        "you left, or were interrupted: a session that had begun goes on, or waits to be taken up",
        "interrupted: nothing was changed by it",
        "`cockpit attach` brings you back; `cockpit resume` takes up what was cut",
    ),
)
"""Every code that cockpit ends with. Killed by a signal it is 128 and the signal's number, as the shell has it."""

EPILOG = "Exit codes: " + ", ".join(f"{end.code} {end.word}" for end in EXITS) + "; docs/exit-codes.md."


def page() -> str:
    """The page docs/exit-codes.md."""
    head = """# Exit codes

Written by `make docs` from the table in `src/cockpit/cli/exit_codes.py`. A script that runs a release (`run`, `resume`,
`rehearse`, `demo`, and a terminal that attaches or watches to the end) learns from the code how it stands; the message
on standard error says the same in words, and what to do.

| code | | a release | another command | what to do |
|---:|---|---|---|---|
"""
    rows = (f"| {e.code} | {e.word} | {e.release} | {e.otherwise or '-'} | {e.do} |" for e in EXITS)
    return head + "\n".join(rows) + "\n"
