"""The acts that may be asked for from a shell: the word for each, and what may stand behind it."""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple


def moved(said: str) -> dict[str, Any]:
    """A limit as the plan writes it, as the fields of the command that moves one: `> 3 for 2m`, `outside 1..5`."""
    from cockpit.planfile.scalars import Mistake
    from cockpit.planfile.typed_limit import typed_limit

    try:
        to = typed_limit(said)
    except Mistake as wrong:
        raise argparse.ArgumentTypeError(f"{wrong}: {wrong.hint}") from None
    return {"op": to.op, "limit": to.limit, "outside": to.outside, "for_": to.for_}


_WHY = {"--reason": {"default": "", "metavar": "TEXT", "help": "why, in a line; it is kept"}}

_NOTE = {
    "--note": {"dest": "reason", "default": "", "metavar": "TEXT", "help": "what you saw; it is kept with it"}
}


_ROLE = {"nargs": "?", "default": "", "metavar": "ROLE", "help": "only this one"}


class Act(NamedTuple):
    """One act from a shell: the name of its command, what it does, and what may stand behind the word.

    Each argument is the command's field of that name (`dest`).
    """

    command: str
    says: str
    arguments: dict[str, dict[str, Any]]


ACTS: dict[str, Act] = {
    "pause": Act("PauseRollout", "start nothing new; anyone may", _WHY),
    "promote": Act(
        "Promote",
        "let the stage that waits begin",
        {**_WHY, "--stage": {"default": "", "metavar": "NAME", "help": "only if this is the one that waits"}},
    ),
    "rollback": Act(
        "RollBack",
        "undo what was touched: ask for it, or agree, if a plan wants so",
        {
            **_WHY,
            "--override": {
                "default": "",
                "metavar": "WHY",
                "help": "don't wait for those who have yet to agree: why not, in a line; it is kept",
            },
        },
    ),
    "abort": Act("Abort", "stop here, leave as is", _WHY),
    "reject": Act(
        "RejectStage",
        "say no at the gate that waits",
        {"reason": {"metavar": "WHY", "help": "what has to change; kept"}},
    ),
    "accept": Act("AcceptRole", "accept the roles that wait for you", {"role": _ROLE}),
    "offer": Act(
        "OfferRole",
        "offer a role of yours to somebody",
        {"role": {"metavar": "ROLE"}, "to": {"metavar": "PERSON"}, **_WHY},
    ),
    "refuse": Act("DeclineRole", "don't take a role, or take your offer back", {"role": _ROLE, **_WHY}),
    "signal": Act(
        "EnterReading",
        "enter the value of a signal that a person reads",
        {"signal": {"metavar": "SIGNAL"}, "value": {"metavar": "VALUE", "type": float}, **_NOTE},
    ),
    "note": Act("AddNote", "keep a note for the review", {"reason": {"metavar": "TEXT", "help": "a line"}}),
    "unexplained": Act(
        "ReportUnexplained",
        "we can't explain this; anyone may",
        {
            "reason": {
                "nargs": "?",
                "default": "",
                "metavar": "TEXT",
                "help": "what is seen, in several words",
            }
        },
    ),
    "explain": Act(
        "Explain",
        "say what the unexplained was",
        {"reason": {"metavar": "TEXT", "help": "and how it is known"}},
    ),
    "decline": Act(
        "DeclineProposal",
        "don't roll back although it is proposed or asked for",
        {"reason": {"metavar": "WHY", "help": "how you know that it is safe to go on; it is kept"}},
    ),
    "here": Act("AnswerEscalation", "I'm here: answer the limits that call you", _NOTE),
    "limit": Act(
        "ChangeLimit",
        "move a limit",
        {
            "threshold": {"metavar": "LIMIT", "help": 'as the screen calls it: "errors > 2"'},
            "moved": {
                "metavar": "TO",
                "type": moved,
                "help": '"> 3", "> 3 for 2m" or "outside 1..5"; without for, its span stays',
            },
            "reason": {"metavar": "WHY", "help": "why it moves; it is kept"},
        },
    ),
}
"""The acts that can be asked for from a shell, by the word for each."""
