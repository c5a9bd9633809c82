"""The questions of `cockpit init`, and what their answers make of a draft."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from cockpit.cli.asking import Put, Question, mistake

MOMENT = re.compile(r"(?:(2\d{3}-\d\d-\d\d)[T ]+)?(\d\d:\d\d(?::\d\d)?)", re.ASCII)
TEN, TWO_HOURS = time(10), timedelta(hours=2)


def _into(field: str) -> Put:
    """The answer word for word, as this field of the draft."""
    return lambda draft, said: replace(draft, **{field: said})


def _version(draft: Any, said: str) -> Any:
    return replace(draft, version=said, previous_version=f"before {said}")


def _target(said: str) -> tuple[str, str]:
    """`name = host` as a pair; a name alone is its host too."""
    name, given, host = said.partition("=")
    pair = tuple(part.strip().strip("\"'").strip() for part in (name, host if given else name))
    if not all(pair):
        raise mistake("this is no target", "write its name and its host: web-1 = 10.0.0.11")
    return pair[0], pair[1]


def _first_target(draft: Any, said: str) -> Any:
    return replace(draft, targets=(_target(said),))


def _another_target(draft: Any, said: str) -> Any:
    return replace(draft, targets=(*draft.targets, _target(said)))


def _decision_owner(draft: Any, said: str) -> Any:
    from cockpit.planfile.drafting import ids_of

    return replace(draft, decision_owner=said, login=ids_of([said])[said])


def _yes(said: str) -> bool:
    word = said.lower()
    if word not in ("y", "yes", "n", "no"):
        raise mistake("this is neither yes nor no", "write one of them")
    return word in ("y", "yes")


def _undone(draft: Any, said: str) -> Any:
    if _yes(said):
        return draft
    return replace(draft, rollback="", verify_rollback="", roll_forward="Said by the next answer.")


def _back(command: str) -> str:
    """A command for the new version as one for the version before, where it names the version."""
    return command.replace("{version}", "{previous_version}") if "{version}" in command else ""


READS = {"command": "true", "here": "true", "http": "http://checkout.example/", "manual": ""}
"""What a signal reads until the next answer says it, for each source that is asked about."""


def _source(draft: Any, said: str) -> Any:
    if said not in READS:
        raise mistake(f"`{said}` is none of them", f"write {', '.join(READS)}")
    return replace(draft, source=said, reads=READS[said], metric="status" if said == "http" else "")


def _window(draft: Any, said: str) -> Any:
    from cockpit.planfile.succession import next_weekday

    if not _yes(said):
        return draft
    zone = _local_zone()
    opens = datetime.combine(next_weekday(now_in(zone).date()), TEN)
    return replace(draft, opens=opens, closes=opens + TWO_HOURS, timezone=zone)


def _local_zone() -> str:
    """The name of this machine's time zone, UTC where it can't be told."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    named = os.environ.get("TZ", "").removeprefix(":")
    named = named or os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
    try:
        return ZoneInfo(named).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"


def now_in(zone: str) -> datetime:
    """The time in a zone, as its clocks show it."""
    from zoneinfo import ZoneInfo

    return datetime.now(ZoneInfo(zone)).replace(tzinfo=None)


def window_times(opens: datetime, zone: str, length: timedelta = TWO_HOURS) -> tuple[Question, Question]:
    """The window's two times in a zone; by default it opens at `opens` and lasts for `length`."""

    def put_opens(draft: Any, said: str) -> Any:
        at = _moment(said, opens.date())
        if at.date() < now_in(zone).date():
            raise mistake("that day is over", f"write one to come: {_shown(opens)}")
        return replace(draft, opens=at, closes=at + length)

    def put_closes(draft: Any, said: str) -> Any:
        at = _moment(said, draft.opens.date())
        if at <= now_in(zone):
            raise mistake("that time is over, and the release could never start", "write one to come")
        return replace(draft, closes=at)

    return (
        Question(
            f"When does the window open? ({zone})",
            f"The local time there. For example: {_shown(opens)}",
            put_opens,
            lambda _: _shown(opens),
        ),
        Question(
            "When does it close?",
            "The release pauses then; leave time for the bakes and the way back. For example: 13:00",
            put_closes,
            lambda draft: _shown(draft.closes),
        ),
    )


def _shown(at: datetime) -> str:
    return at.isoformat(" ", "seconds").removesuffix(":00")


def _moment(said: str, day: date) -> datetime:
    """A date and time, or a time on `day`."""
    found = MOMENT.fullmatch(said)
    with suppress(ValueError):
        if found is not None:
            return datetime.combine(
                date.fromisoformat(found[1]) if found[1] else day, time.fromisoformat(found[2])
            )
    raise mistake("this is no date and time", f"write it like {day} 10:00")


def next_version(bumped: str) -> Question:
    """The version of a plan that follows another one."""
    asks, help_ = "Which version goes out?", "The earlier plan's version becomes the one to go back to."
    return Question(asks, help_, _into("version"), lambda _: bumped)


def next_change_ref(was: str) -> Question:
    """The change reference of a plan that follows another one."""
    return Question(
        f"Which change is it? ({was} was the last)", "The reference of its ticket.", _into("change_ref")
    )


def _is_read_by(*sources: str) -> Callable[[Any], bool]:
    return lambda draft: draft.source in sources


def _back_there(draft: Any) -> bool:
    return bool(draft.rollback)


WHAT = (
    Question(
        "Which service changes?",
        "Its short name, as dashboards have it. For example: checkout",
        _into("service"),
    ),
    Question(
        "In which environment?",
        "One release at a time runs in it. For example: staging",
        _into("environment"),
        lambda _: "production",
    ),
    Question("Which version goes out?", "Commands get it for {version}. For example: 2026.11.3", _version),
)
"""What is asked first: the plan's file is named after it."""

HOW = (
    Question(
        "Which version runs now?",
        "The one to go back to; commands get it for {previous_version}. For example: 2026.11.2",
        _into("previous_version"),
    ),
    Question(
        "What do customers notice if it half fails?",
        "Somebody weighs it when it does. For example: EU receipts show the old tax line; totals stay right.",
        _into("customer_impact"),
    ),
    Question(
        "Which target goes first? (name = host)",
        "It has the new version alone for a while; of a range the first. For example: web-1 = 10.0.0.11",
        _first_target,
    ),
    Question(
        "Which other target?",
        "One at a time, or a range. For example: web-[02-20] = web-[02-20].example",
        _another_target,
        optional="no more",
        again=True,
    ),
    Question("Who decides?", "They say go and no. For example: Dana Ruiz", _decision_owner),
    Question(
        "Who leads the way back?",
        "They may abort and roll back, as may who decides. For example: Lee Chen",
        _into("rollback_owner"),
    ),
    Question(
        "Who hears from customers first?",
        "The support liaison. For example: Kim Park",
        _into("support_liaison"),
        optional="nobody in particular",
    ),
    Question(
        "Which account does whoever decides have here?",
        "Their login on the machine where the release runs; a gate opens only from there. For example: druiz",
        _into("login"),
        lambda draft: draft.login,
    ),
    Question(
        "Which command puts it on a target?",
        "A line for sh; {version}, {target} and {host} are filled in. For example: /srv/checkout/bin/switch {version}",
        _into("run"),
    ),
    Question(
        "Which command proves that it is in place?",
        "Exit 0 if it is. It also settles doubt after a cut. For example: /srv/checkout/bin/health --expect {version}",
        _into("verify"),
    ),
    Question(
        "Can it be undone? (yes or no)",
        "no is a point of no return: whoever decides is asked before it begins.",
        _undone,
        lambda _: "yes",
    ),
    Question(
        "Which command undoes it?",
        "A line for sh. For example: /srv/checkout/bin/switch {previous_version}",
        _into("rollback"),
        lambda draft: _back(draft.run),
        _back_there,
    ),
    Question(
        "Which command proves that it is undone?",
        "Exit 0 if it is. For example: /srv/checkout/bin/health --expect {previous_version}",
        _into("verify_rollback"),
        lambda draft: _back(draft.verify),
        _back_there,
    ),
    Question(
        "What is done instead, and how long does it take?",
        "For example: Restore the 09:30 snapshot: runbook R-12, about 40 min.",
        _into("roll_forward"),
        when=lambda draft: not _back_there(draft),
    ),
    Question(
        "What does the business ask meanwhile?",
        "One question that a number answers. For example: Can customers still check out?",
        _into("question"),
    ),
    Question(
        "Where does the number come from? (command, here, http or manual)",
        "command: a line that prints it, on each target. here: such a line on this machine. http: a web address. "
        "manual: a person enters it.",
        _source,
        lambda _: "command",
    ),
    Question(
        "Which command prints it?",
        "Its last line is the number. For example: /srv/checkout/bin/error-percent",
        _into("reads"),
        when=_is_read_by("command", "here"),
    ),
    Question(
        "At which address?",
        "It is asked from this machine. For example: https://checkout.example/health",
        _into("reads"),
        when=_is_read_by("http"),
    ),
    Question(
        "What of the answer? (status, latency, or a place in its JSON)",
        "latency is in seconds. For example: $.orders.per_minute",
        _into("metric"),
        lambda _: "status",
        _is_read_by("http"),
    ),
    Question("What is the number called?", "A word for the screen. For example: orders", _into("signal")),
    Question(
        "Beyond which limit does the release pause?",
        "The number itself is still tolerated. For example: > 2, < 60 for 5m, outside 200..299",
        _into("limit"),
    ),
    Question(
        "Does it have a window? (yes or no)",
        "The only time in which it may run; without one it may start at any time.",
        _window,
        lambda _: "no",
    ),
)
"""What is asked about every release, in this order."""

ZONE = Question(
    "In which time zone?", "For example: Europe/Berlin", _into("timezone"), lambda draft: draft.timezone
)
