"""A first plan from a few answers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, count

import tomlkit

from cockpit.core.plan import ROLE_NAMES
from cockpit.planfile.checked import Checked, parse
from cockpit.planfile.edit import literal
from cockpit.planfile.problem import Problem
from cockpit.planfile.scalars import Mistake, expand
from cockpit.planfile.typed_limit import typed_limit

SOURCES = ("command", "here", "http", "manual")
"""How a draft's signal is read: a command on each target, one on this machine, a web address, or a person."""

EXACT_METRICS = ("status", "latency")
"""What of a web answer counts as it is; anything else is the place of a number in its JSON."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What was answered, word for word; empty is none.

    `targets` are pairs of name and host, `login` is the decision owner's account. `roll_forward` stands instead of
    `rollback` where there is no way back. `reads` is the signal's command or address, `metric` what of a web answer
    counts: status, latency or a JSON path.
    """

    service: str
    environment: str
    version: str
    previous_version: str
    customer_impact: str
    targets: tuple[tuple[str, str], ...]
    decision_owner: str
    login: str
    rollback_owner: str
    support_liaison: str
    run: str
    verify: str
    rollback: str
    verify_rollback: str
    roll_forward: str
    question: str
    source: str
    reads: str
    metric: str
    signal: str
    limit: str
    opens: datetime | None = None
    closes: datetime | None = None
    timezone: str = ""


EXAMPLE = Draft(
    service="checkout",
    environment="production",
    version="2026.11.3",
    previous_version="2026.11.2",
    customer_impact="EU receipts show the old tax line; totals stay right.",
    targets=(("web-[01-04]", "web-[01-04].example"),),
    decision_owner="Dana Ruiz",
    login="dana",
    rollback_owner="Lee Chen",
    support_liaison="",
    run="/srv/checkout/bin/switch {version}",
    verify="/srv/checkout/bin/health --expect {version}",
    rollback="/srv/checkout/bin/switch {previous_version}",
    verify_rollback="/srv/checkout/bin/health --expect {previous_version}",
    roll_forward="",
    question="Can customers still check out?",
    source="command",
    reads="/srv/checkout/bin/error-percent",
    metric="",
    signal="errors",
    limit="> 2",
)
"""A draft that stands: answers replace it one by one, and whatever is objected to then is in the answer."""


def objection(draft: Draft) -> str:
    """What the plan's own check would say about the draft, and what to write instead; empty if nothing."""
    try:
        return first_new(parse(plan_text(draft).encode(), ""), ())
    except Mistake as wrong:
        return told(str(wrong), wrong.hint)


def told(message: str, hint: str) -> str:
    """What is wrong, and what to write instead, in sentences on one line."""
    sentences = [f"{part[0].upper()}{part[1:]}" for part in (message, hint) if part]
    return " ".join(part if part.endswith(("?", ".")) else f"{part}." for part in sentences)


def first_new(checked: Checked, known: Iterable[Problem]) -> str:
    """The first thing said about a plan that wasn't `known`, as it is told; empty if there is none."""
    before = {problem.message for problem in known}
    return next((told(p.message, p.hint) for p in everything_said(checked) if p.message not in before), "")


def everything_said(checked: Checked) -> tuple[Problem, ...]:
    """Problems, warnings and what isn't acted on."""
    return (*checked.problems, *checked.warnings)


def plan_text(draft: Draft) -> str:
    """The draft as a plan, with comments for whoever takes it from there.

    Mistake where a range or the limit can't be read; `objection` tells all else that is wrong with it.
    """
    ids = [id_ for name, host in draft.targets for id_, _ in expand(name, host)]
    if len(set(ids)) < len(ids):
        raise Mistake(
            "two targets have the same name", "give each a name of its own; ranges must not overlap"
        )
    sections = [_HEAD, _release(draft), _window(draft), *_people(draft), _targets(draft, ids)]
    sections += [_step(draft), *_stages(draft, ids), _signal(draft), _threshold(draft), *_checklist(draft)]
    return "\n".join([*sections, _ROLLBACK, _NOTIFY] if draft.rollback else [*sections, _NOTIFY])


_STEP = "deploy"

_HEAD = """\
# Written by `cockpit init`: a first plan, yours to change. Above each section stands what it is for, and what to
# consider next. `cockpit check` shows every mistake in it and each exact command; `cockpit schema` lists all keys.
"""

_NO_WINDOW = """\
# No window is agreed: the release may start at any time, and the screen says so. Next: agree on one.
# [window]
# opens    = 2026-11-24T10:00:00
# closes   = 2026-11-24T12:00:00
# timezone = "Europe/Berlin"
"""

_ROLLBACK = """\
# How long the way back takes, from the decision to the last proof. Five minutes is a guess: measure it on staging.
# Next: rehearsed_within = "14d", and the start wants a `cockpit rehearse` of this plan that is no older.
[rollback]
expected_time = "5m"
"""

_NOTIFY = """\
# Next: tell those who aren't at a screen. An address is a secret: the plan only says where to look it up.
# [[notify]]
# on  = ["pause", "rollback", "escalate", "completed"]
# url = "env:RELEASE_HOOK"                # or, on this machine: run = "notify-send {message}"
"""


def _section(comment: str, header: str, values: Mapping[str, object]) -> str:
    """A section of the plan: its comment, its header, and a line for each value."""
    keys = {key: tomlkit.key(key).as_string() for key in values}
    width = max(map(len, keys.values()))
    lines = [f"{keys[key]:{width}} = {_written(value)}" for key, value in values.items()]
    return "\n".join([*comment.strip().splitlines(), header, *lines, ""])


def _written(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {literal(inner)}" for key, inner in value.items()) + " }"
    return literal(value)


def _release(draft: Draft) -> str:
    comment = """
# What goes out, and what customers feel if it half fails.
# Next: change_ref = "CHG-1042", links = { dashboard = "https://...", channel = "#rel-checkout" }.
"""
    said = ("service", "environment", "version", "previous_version", "customer_impact")
    name = {"name": f"{draft.service} {draft.version}"}
    return _section(comment, "[release]", name | {field: getattr(draft, field) for field in said})


def _window(draft: Draft) -> str:
    comment = """
# When it may run, in local time. It pauses at the end, and no stage starts that wouldn't fit in with its way back.
# Next: freeze = [{ from = 2026-12-24, to = 2026-12-26, why = "Christmas sales" }].
"""
    if draft.opens is None:
        return _NO_WINDOW
    times = {"opens": draft.opens, "closes": draft.closes, "timezone": draft.timezone}
    return _section(comment, "[window]", times)


def _people(draft: Draft) -> tuple[str, str]:
    """The sections [people] and [roles]."""
    people = """
# Everyone this plan names, by a short id. os_user is the account from which alone they act, and a gate asks for it;
# without one the id is their login, or what they say behind --as. Next: os_user for the others, contact = "#dana".
"""
    roles = """
# Who answers for what. Anyone may pause; the decision and the rollback owner may abort and roll back.
# Next: metrics_watcher = "...", stop_authority = [...] where others may abort and roll back as well.
"""
    fields = ("decision_owner", "rollback_owner", "support_liaison")
    held = {field: said for field in fields if (said := getattr(draft, field))}
    ids = ids_of(held.values(), draft.login)
    named: dict[str, dict[str, str]] = {}
    for name, id_ in ids.items():
        named.setdefault(id_, {"name": name})
    named[ids[draft.decision_owner]]["os_user"] = draft.login
    holders = {role: ids[said] for role, said in held.items()}
    return _section(people, "[people]", named), _section(roles, "[roles]", holders)


def ids_of(names: Iterable[str], login: str = "") -> dict[str, str]:
    """An id for each name: its first word, if that is free. A name that is an id already means the same person.

    `login` is the account of the first of them: as a name it means that person, and it is the id of nobody else.
    """
    ids: dict[str, str] = {}
    for name in names:
        if name in ids.values():
            ids[name] = name
        elif ids and name == login:
            ids[name] = next(iter(ids.values()))
        elif name not in ids:
            ids[name] = _id(name, {*ids.values(), *ROLE_NAMES, "cockpit", *([login] if ids else [])})
    return ids


def _id(name: str, taken: set[str]) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9][a-z0-9_-]*", plain) or ["person"]
    numbered = (f"{words[0]}-{n}" for n in count(2))
    return next(id_ for id_ in chain((words[0], "-".join(words)), numbered) if id_ not in taken)


def _targets(draft: Draft, ids: Sequence[str]) -> str:
    comment = """
# The hosts, by the name this plan calls them. You log in by SSH as yourself, with the keys of your agent; their host
# keys must be in ~/.ssh/known_hosts. Next: port = 2222 where it isn't 22, groups of your own, and for another login:
# [ssh]
# user = "deploy"
"""
    groups = [_everywhere(ids)]
    return _section(comment, "[targets]", {n: {"host": host, "groups": groups} for n, host in draft.targets})


def _everywhere(ids: Sequence[str]) -> str:
    """A group for all targets, by a name that none of them has."""
    name = "all"
    while name in ids:
        name += " targets"
    return name


def _step(draft: Draft) -> str:
    comment = """
# What is done on each target, and the way back; what proves each of them exits 0 once it is so.
# {version} and {previous_version} are the values above, quoted for the shell.
# Next: healthy = "what good looks like", and idempotent = true if the step may safely run twice.
"""
    no_way_back = """
# What is done on each target, and what proves it: that exits 0 once it is so. There is no way back, and the decision
# owner is asked before it begins. {version} and {previous_version} are the values above, quoted for the shell.
# Next: cut it in two, so that what can be undone is a step of its own, with its rollback.
"""
    does = {"id": _STEP, "run": draft.run, "verify": draft.verify}
    if not draft.rollback:
        forward = {"reversible": False, "roll_forward": draft.roll_forward}
        return _section(no_way_back, "[[step]]", {**does, **forward, "timeout": "5m"})
    undoes = {"rollback": draft.rollback, "verify_rollback": draft.verify_rollback}
    return _section(comment, "[[step]]", {**does, **undoes, "timeout": "5m"})


def _stages(draft: Draft, ids: Sequence[str]) -> list[str]:
    """The canary and the others; a single target has one stage."""
    canary = """
# One target first. The bake is clean time before anything more may begin: a breach starts it anew.
# Next: are ten minutes enough for customers to meet the new version, and for the number below to show it?
"""
    others = """
# Then the others, a quarter of them before the rest. The gate holds them until the decision owner promotes; with nobody
# deciding for 30 minutes the rollout pauses. Next: more waves, max_parallel = 4 (targets at the same time).
"""
    single = """
# The only target. The bake is clean time before it counts as done: a breach starts it anew.
# Next: with more targets, a stage for one of them and then, behind a gate, a stage for the others.
"""
    does = {"steps": [_STEP], "bake_time": "10m"}
    if len(ids) == 1:
        return [_section(single, "[[stage]]", {"name": "all", "targets": list(ids), **does})]
    gate = {"approvers": ["decision_owner"], "instructions": draft.question, "timeout": "30m"}
    slices = {"targets": [_everywhere(ids)], "waves": ["25%", "rest"]}
    return [
        _section(canary, "[[stage]]", {"name": "canary", "targets": [ids[0]], **does}),
        _section(others, "[[stage]]", {"name": "others", **slices, **does, "gate": gate}),
    ]


def _signal(draft: Draft) -> str:
    comment = """
# What the business asks, and the number that answers it: such signals stand first on screen.
# Next: unit = "%", a second question. The cpu, memory, disk, load and network of every target can have limits as well.
"""
    exact = draft.metric in EXACT_METRICS
    reads: dict[str, dict[str, str]] = {
        "command": {"source": "command", "run": draft.reads},
        "here": {"source": "command", "on": "here", "run": draft.reads},
        "http": {"source": "http", "url": draft.reads, "metric": draft.metric if exact else "json"},
        "manual": {"source": "manual"},
    }
    path = {"json_path": draft.metric} if draft.source == "http" and not exact else {}
    often = {"interval": "10m" if draft.source == "manual" else "10s", "owner": _watcher(draft)}
    asks = {"name": draft.signal, "question": draft.question}
    return _section(comment, "[[signal]]", {**asks, **reads[draft.source], **path, **often})


def _watcher(draft: Draft) -> str:
    return "support_liaison" if draft.support_liaison else "decision_owner"


def _threshold(draft: Draft) -> str:
    comment = """
# The limit, agreed in advance: the number still tolerated, and what happens by itself once it is exceeded.
# Next: agreed_by = ["decision_owner"] once they have agreed; action = "rollback" once you trust the number.
"""
    limit = typed_limit(draft.limit)
    said, _, span = (part.strip() for part in draft.limit.partition(" for "))
    when = {"outside": list(limit.outside)} if limit.outside else {"when": said}
    span = span or ("" if draft.source == "manual" else "1m")
    lasting = {"for": span} if span else {}
    return _section(comment, "[[threshold]]", {"signal": draft.signal, **when, **lasting, "action": "pause"})


def _checklist(draft: Draft) -> tuple[str, str]:
    comment = """
# What somebody signs by name. `before` says what it holds back: the start, a stage ("stage:canary"), or the close.
# Next: make each line one that can be checked, with its number or place; link = "https://...".
"""
    backup = {
        "id": "backup",
        "text": "Today's backup is there, and a restore of it was tried",
        "owner": "rollback_owner",
        "before": "start",
    }
    support = {
        "id": "support",
        "text": "Support knows what changed, what customers may notice, and whom to call",
        "owner": _watcher(draft),
        "before": "close",
    }
    return _section(comment, "[[checklist]]", backup), _section("", "[[checklist]]", support)
