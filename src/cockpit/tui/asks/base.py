"""What a question to a person is made of, and who may answer it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cockpit.core.attendance import speaks
from cockpit.core.commands import Command, Refused
from cockpit.core.decide import decide
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line

Make = Callable[[datetime, str, str, str], Command]
"""(at, by, via, reason) -> the command. It holds on to what the person was shown, and to nothing newer."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several answers: what it says, what follows from it, its verb. `make` None: it can't be chosen now.

    `authors`, where there are any, stand for the question's own once it is chosen.
    """

    says: str
    cost: str
    verb: str
    make: Make | None
    authors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to a person. Empty `field`: nothing to type. `word` must be typed exactly; `needed`: not empty.

    `authors` are the people whose decision it may be, the likeliest first; `make` is None for leaving.
    Where there are `choices` none is chosen beforehand, and `make` is the chosen one's. `wrong` says what is
    wrong with the text that was typed, or nothing.
    """

    title: str
    lines: tuple[Line, ...]
    verb: str
    authors: tuple[str, ...] = ()
    make: Make | None = None
    field: str = ""
    needed: bool = False
    word: str = ""
    danger: bool = False
    choices: tuple[Choice, ...] = ()
    wrong: Callable[[str], str] = lambda text: ""


Asked = Ask | Command | str
"""A question to put, a command that needs none, or why it can't be."""


def voices(scene: Scene, allowed: Sequence[str]) -> tuple[str, ...]:
    """Those of `allowed` whose word may be entered here: whoever sits here, else all to be entered for; or nobody."""
    seat = scene.link.seat
    spoken = tuple(person for person in allowed if speaks(scene.plan, seat, person) is None)
    return (seat.person,) if seat.person in spoken else spoken


def may(scene: Scene, allowed: Sequence[str]) -> tuple[str, ...]:
    """The same; where that is nobody, whoever sits here, whom the core refuses in its own words."""
    return voices(scene, allowed) or (scene.link.me,)


def entered_by(scene: Scene, by: str) -> str:
    """The person at this screen, where they enter somebody else's decision."""
    return "" if by == scene.link.me else scene.link.me


def refusal(scene: Scene, command: Command) -> str:
    """Why the command would be refused at this moment, or empty."""
    decided = decide(scene.state, command)
    return decided.reason if isinstance(decided, Refused) else ""
