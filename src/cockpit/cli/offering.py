"""What may be typed for an argument: plans, sessions, people, themes and what else the plan at hand names."""

from __future__ import annotations

import argparse
import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

from cockpit.cli.nearby import plans
from cockpit.core.errors import CockpitError

MOST_SESSIONS = 50
MOST_BYTES = 5_000_000

_SAFE = re.compile(r"[\w.,:/@+=%~-]+")


class Word(NamedTuple):
    """A word that may be typed, and what it means."""

    text: str
    says: str = ""


def safe(word: str) -> bool:
    """Whether a word stands on a command line for nothing but itself: names come from plans and logs of anybody."""
    return bool(_SAFE.fullmatch(word)) and word.isprintable()


@dataclass(slots=True)
class Given:
    """What the words before say: the command, and the plan or the session that it is about."""

    command: str = ""
    plan: str = ""
    session: str = ""

    def take(self, action: argparse.Action, word: str) -> None:
        """A value was given for an argument."""
        if action.metavar == "PLAN":
            self.plan = word
        elif action.metavar == "SESSION":
            self.session = word

    def document(self) -> dict[str, Any]:
        """The plan at hand as TOML has it: the named one, else that of the session; empty where there is none."""
        with suppress(OSError, ValueError, CockpitError, RecursionError):
            if self.plan:
                with Path(self.plan).expanduser().open("rb") as file:
                    return tomllib.loads(file.read(MOST_BYTES).decode())
            return _recorded_plan(self.session)
        return {}


def _recorded_plan(session: str) -> dict[str, Any]:
    """The plan of a session by its name or its log; of the newest where none is named or that one isn't there."""
    from cockpit.store.glance import glance, names
    from cockpit.store.places import SUFFIX, session_dir

    newest = names()[:1]
    for path in (
        Path(session).expanduser(),
        *(session_dir() / f"{name}{SUFFIX}" for name in (session, *newest)),
    ):
        if path.is_file() and (seen := glance(path)) is not None:
            return seen.plan
    return {}


def plan_files(current: str) -> Iterator[Word]:
    """Plans in the directory that is being typed, then the directories there."""
    head, slash, _ = current.rpartition("/")
    directory = Path(f"{head}{slash}" or ".").expanduser()
    for path in plans(directory):
        yield Word(f"{head}{slash}{path.name}", "a plan")
    with suppress(OSError):
        for path in sorted(directory.iterdir()):
            if path.is_dir() and not path.name.startswith("."):
                yield Word(f"{head}{slash}{path.name}/")


def _sessions(given: Given, current: str) -> Iterator[Word]:
    """The sessions that run, for a command that is about those; else all, the newest first."""
    from cockpit.cli.acting import ACTS
    from cockpit.runtime import sockets
    from cockpit.store.glance import names

    if given.command in ("attach", "watch", "sign", *ACTS):
        with suppress(CockpitError, OSError):
            yield from (Word(name, "runs") for name in sockets.running())
        return
    yield from map(Word, names()[:MOST_SESSIONS])


def _table(document: dict[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name)
    return cast(dict[str, Any], found) if isinstance(found, dict) else {}


def _tables(document: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    found = document.get(name)
    for each in cast(list[Any], found) if isinstance(found, list) else ():
        if isinstance(each, dict):
            yield cast(dict[str, Any], each)


def _people(given: Given, current: str) -> Iterator[Word]:
    for id_, person in _table(given.document(), "people").items():
        yield Word(id_, str(cast(dict[str, Any], person).get("name", "")) if isinstance(person, dict) else "")


def _roles(given: Given, current: str) -> Iterator[Word]:
    yield from (Word(role) for role in _table(given.document(), "roles") if role != "typed_names")


def _items(given: Given, current: str) -> Iterator[Word]:
    """What is signed: the items of the checklist, the gates and the roles."""
    document = given.document()
    for item in _tables(document, "checklist"):
        yield Word(str(item.get("id", "")), str(item.get("text", "")))
    for stage in _tables(document, "stage"):
        if "gate" in stage:
            yield Word(f"gate:{stage.get('name', '')}", "its gate")
    yield from (Word(f"role:{role.text}", "accept it") for role in _roles(given, current))


def _named(table: str, key: str) -> Callable[[Given, str], Iterator[Word]]:
    def offer(given: Given, current: str) -> Iterator[Word]:
        yield from (Word(str(each.get(key, ""))) for each in _tables(given.document(), table))

    return offer


def _formats(given: Given, current: str) -> Iterator[Word]:
    yield from map(Word, ("markdown", "html", "json", "csv"))


def _themes(given: Given, current: str) -> Iterator[Word]:
    from cockpit import settings

    with suppress(OSError):
        yield from map(Word, settings.themes())


BY_METAVAR: dict[str, Callable[[Given, str], Iterator[Word]]] = {
    "PLAN": lambda given, current: plan_files(current),
    "SESSION": _sessions,
    "PERSON": _people,
    "ROLE": _roles,
    "ITEM": _items,
    "SIGNAL": _named("signal", "name"),
    "NAME": _themes,
    "FORMAT": _formats,
}
"""How the values of an argument are found, by what the help calls it."""
