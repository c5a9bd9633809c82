"""What a review asks everybody: for friction, not for blame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

FrictionKind = Literal[
    "breach",
    "rollback",
    "unexplained",
    "doubt",
    "person",
    "approval",
    "check",
    "signal",
    "escalation",
    "late_entry",
    "retry",
    "slow_step",
    "limit",
    "override",
    "handover",
]
"""What held a release up, was decided against the agreed, or had to be done twice."""

FRICTION_KINDS: tuple[str, ...] = get_args(FrictionKind)

QUESTIONS: Mapping[str, str] = {
    "smooth": "What went smoothly, and should stay as it is?",
    "plan": "Where was the plan unclear, or wrong?",
    "tools": "Where did tools slow us down, above all on the way back?",
    "alerts": "Which alert came late, or was missing?",
    "context": "What did support and business teams not know in time?",
}
"""Each question by its key, in the order they are asked."""


def asked(question: str) -> str:
    """The question of that key; of one about friction its kind, in words."""
    return QUESTIONS.get(question, question.replace("_", " "))


def fault(question: str, about: int) -> str:
    """Why nothing was asked by that key about that record (0: none), or empty."""
    if question in QUESTIONS:
        return "" if not about else f"“{question}” is about no record"
    if question in FRICTION_KINDS:
        return "" if about > 0 else f"“{question}” is asked about a record: name it with --about RECORD"
    return (
        f"no question {question!r}: there are {', '.join(QUESTIONS)}; and of friction, with --about RECORD, "
        f"{', '.join(FRICTION_KINDS)}"
    )
