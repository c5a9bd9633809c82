"""What a question to a person is made of, and who may answer it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Union

from cockpit.core.attendance import speaks
from cockpit.core.commands import Command, Decided, HumanCommand, Refused, SignedCommand
from cockpit.core.decide import decide
from cockpit.core.people import has_key
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line

Made = Union[Command, tuple[Command, ...], "Ask"]
"""What an answer comes to: a command, several of them, or the next question."""

Make = Callable[[datetime, str, str, str], Made]
"""(at, by, via, reason) -> what comes of it. It holds on to what the person was shown, and to nothing newer."""

TO_BE_SIGNED = "to be signed"
"""In the place of a signature, where it is only asked whether the command would be refused."""


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
    wrong with the text that was typed, or nothing. `about` is the target, item, stage or call in question, where
    there may be another one. `far` is how far out each limit is that an answer takes on: larger is worse.
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
    about: str = ""
    far: tuple[tuple[str, float], ...] = ()


Asked = Ask | Command | str
"""A question to put, a command that needs none, or why it can't be."""


def voices(scene: Scene, allowed: Sequence[str], stops: bool = False) -> tuple[str, ...]:
    """Those of `allowed` whose word may be entered here: whoever sits here, else all to be entered for; or nobody.

    `stops`: it stops the release, which takes nobody's key.
    """
    seat = scene.link.seat
    spoken = tuple(person for person in allowed if speaks(scene.plan, seat, person, stops=stops) is None)
    return (seat.person,) if seat.person in spoken else spoken


def may(scene: Scene, allowed: Sequence[str], stops: bool = False) -> tuple[str, ...]:
    """The same; where that is nobody, whoever sits here, whom the core refuses in its own words."""
    return voices(scene, allowed, stops) or (scene.link.me,)


def hands(scene: Scene, allowed: Sequence[str]) -> tuple[str, ...]:
    """As `voices`, of those whose decision may be signed with a key: such a block can be handed in at any screen."""
    spoken = voices(scene, allowed)
    if scene.link.me in spoken or not scene.link.seat.may_act:
        return spoken
    return tuple(person for person in allowed if person in spoken or has_key(scene.plan, person))


def entered_by(scene: Scene, by: str) -> str:
    """The person at this screen, where they enter somebody else's decision."""
    return "" if by == scene.link.me else scene.link.me


def refusal(scene: Scene, command: Command) -> str:
    """Why the command would be refused at this moment, or empty."""
    decided = tried(scene, command)
    return decided.reason if isinstance(decided, Refused) else ""


def tried(scene: Scene, command: Command) -> Decided:
    """What would come of the command at this moment: as it would be sent from here, and signed by whoever has a key."""
    if isinstance(command, HumanCommand):
        seat = scene.link.seat
        command = replace(command, via=entered_by(scene, command.by), os_user=seat.os_user)
    if isinstance(command, SignedCommand) and has_key(scene.plan, command.by):
        command = replace(command, signature=TO_BE_SIGNED)
    return decide(scene.state, command)
