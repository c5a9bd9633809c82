"""Events for the review: what was noted, and the actions that come back before the next release."""

from __future__ import annotations

from dataclasses import dataclass

from cockpit.core.vocabulary import Decision, Event, OpenAction, Settlement, UsualTime


@dataclass(frozen=True, slots=True)
class NoteAdded(Decision):
    """Somebody's words for the review."""

    by: str
    text: str
    via: str = ""


@dataclass(frozen=True, slots=True)
class QuestionAnswered(Decision):
    """A question of the review, answered in a line. Who answers it again puts that in its place.

    `question` is its key (core.questions); one about friction is told by its kind and the record `about` which, else 0.
    """

    question: str
    about: int
    text: str
    by: str
    via: str


@dataclass(frozen=True, slots=True)
class ActionAdded(Decision):
    """Something that `owner` (a person id) does until the day `due` (YYYY-MM-DD) before the service's next release.

    `action` numbers it within its session; `about` is the record that it comes from, or 0.
    """

    action: str
    text: str
    owner: str
    due: str
    about: int
    by: str
    via: str


@dataclass(frozen=True, slots=True)
class ActionSettled(Decision):
    """An action is done, or given up, for `reason`."""

    action: str
    how: Settlement
    by: str
    via: str
    reason: str


@dataclass(frozen=True, slots=True)
class ActionsFound(Event):
    """What earlier releases of the service left to do; `detail` names a log that can't be read, or is empty."""

    actions: tuple[OpenAction, ...]
    detail: str


@dataclass(frozen=True, slots=True)
class UsualTimesFound(Event):
    """How long the plan's steps took in earlier releases of the service; a step that never ran is missing."""

    times: tuple[UsualTime, ...]
