"""The report of a log whose plan or beginning this version can't read: the facts there are, and its records."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import cast

from cockpit.core import events as e
from cockpit.core.journal import say
from cockpit.core.plan import ROLE_NAMES, Person, Plan, Release, Roles
from cockpit.export import model as m
from cockpit.export.people import Records
from cockpit.store.codec import encode
from cockpit.store.recording import Recording

NOT_KNOWN = "not known"


def fragment(recording: Recording, why: str) -> tuple[m.Review, Plan | None]:
    """A review with the records alone, and `why` it has no more; with a plan of the people that can be made out.

    The plan is None where nothing tells who they are.
    """
    records = recording.events
    first = records[0][1] if records else None
    opened = first if isinstance(first, e.SessionOpened) else None
    plan = stand_in(opened.plan_text) if opened else None
    known = plan or _plan({})
    return (
        m.Review(
            release=known.release,
            session=_session(records, opened, known),
            timezone="UTC",
            outcome=m.Outcome(m.UNKNOWN, (), _summary(records)),
            stages=(),
            steps=(),
            decisions=(),
            overrides=(),
            signoffs=(),
            trips=(),
            verdicts=(),
            rollback=None,
            attempts=(),
            notes=(),
            notices=(),
            attendance=(),
            timeline=tuple(_timeline(records, known)),
            head=recording.head,
            missing=(why, *recording.missing),
        ),
        plan,
    )


def stand_in(text: str) -> Plan | None:
    """What a plan says of its release, its people and their roles, whatever else it has; None where it isn't TOML."""
    try:
        return _plan(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValueError, RecursionError):
        return None


def _plan(said: Mapping[str, object]) -> Plan:
    release, roles = _table(said, "release"), _table(said, "roles")
    name, service, environment, version, previous, impact = (
        _text(release, field) or NOT_KNOWN
        for field in ("name", "service", "environment", "version", "previous_version", "customer_impact")
    )
    held = {role: _text(roles, role) for role in ROLE_NAMES}
    people = tuple(_person(id_, _table(_table(said, "people"), id_)) for id_ in _table(said, "people"))
    others = {role: _text(roles, role) for role in roles if role not in ROLE_NAMES and _text(roles, role)}
    return Plan(
        Release(name, service, environment, version, previous, impact),
        Roles(
            held["decision_owner"],
            held["rollback_owner"],
            held["metrics_watcher"] or None,
            held["support_liaison"] or None,
            others=others,
        ),
        targets=(),
        steps=(),
        stages=(),
        people=people,
    )


def _person(id_: str, said: Mapping[str, object]) -> Person:
    contact, os_user, key = (_text(said, field) or None for field in ("contact", "os_user", "key"))
    return Person(id_, _text(said, "name") or id_, contact, os_user, key)


def _table(said: Mapping[str, object], name: str) -> Mapping[str, object]:
    table = said.get(name)
    return cast(Mapping[str, object], table) if isinstance(table, dict) else {}


def _text(said: Mapping[str, object], name: str) -> str:
    text = said.get(name)
    return text if isinstance(text, str) else ""


def _session(records: Records, opened: e.SessionOpened | None, plan: Plan) -> m.Session:
    started = next((event.at for _, event in records if isinstance(event, e.ReleaseStarted)), None)
    closed = next((event for _, event in records if isinstance(event, e.SessionClosed)), None)
    return m.Session(
        opened.session if opened else NOT_KNOWN,
        opened.at if opened else None,
        started,
        closed.at if closed else None,
        plan.person_name(opened.by) if opened else "",
        opened.os_user if opened else "",
        opened.machine if opened else "",
        opened.cockpit_version if opened else NOT_KNOWN,
        opened.plan_path if opened else NOT_KNOWN,
        opened.plan_sha256 if opened else "",
        plan.person_name(closed.by) if closed else "",
        closed.reason if closed else "",
    )


def _summary(records: Records) -> str:
    """What the records claim, as nothing more can be made of them."""
    closed = next((event for _, event in records if isinstance(event, e.SessionClosed)), None)
    if not records:
        return "No record of the session can be read: nothing is known of how it went."
    many = "1 record" if len(records) == 1 else f"{len(records):,} records"
    claim = (
        f"they say that it ended as {closed.outcome.replace('_', ' ')}" if closed else "they tell of no end"
    )
    return (
        f"This is no full report: {many} of the session can be read, and {claim}; nothing here checks that."
    )


def _timeline(records: Records, plan: Plan) -> Iterator[m.Moment]:
    intents: dict[str, e.StepIntended] = {}
    for seq, event in records:
        if isinstance(event, e.StepIntended):
            intents[event.attempt] = event
        try:
            text = say(event, plan, intents.get)
        except (LookupError, ValueError, ArithmeticError, TypeError):
            text = encode(event).decode()[:1000]
        yield m.Moment(seq, event.at, plan.person_name(getattr(event, "by", "")), text)
