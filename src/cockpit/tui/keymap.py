"""A user's keymap: which acts it moves to which keys, and what it says that can't be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import combinations
from typing import cast

from cockpit.tui.key import HABIT, Key, Table, named
from cockpit.tui.keyboard import FUNCTION, beside, printed, spelled, unknown

Tables = Mapping[str, Table]
"""A table of keys for each section of a keymap."""

KEYS_MOST = 4
"""Keys that an act can have."""


@dataclass(frozen=True, slots=True)
class Wish:
    """An action of a table, and the keys it is to have."""

    action: str
    key: Key

    @property
    def each(self) -> tuple[str, ...]:
        """Its keys."""
        return self.key.each


def rebound(tables: Tables, wanted: Mapping[str, object]) -> tuple[Tables, tuple[str, ...]]:
    """The tables as a keymap wants them, and what is wrong with it: whatever can't be stays as it was.

    `tables` are free of conflicts, and so are those that come back.
    """
    made, complaints = dict(tables), list[str]()
    for section, lines in wanted.items():
        if section not in tables:
            there = ", ".join(f"[{name}]" for name in tables)
            complaints.append(f"there is no section “{section}” in a keymap, so it is ignored: write {there}")
        elif not isinstance(lines, Mapping):
            complaints.append(f"“{section}” is a section: write [{section}], and below it act = key")
        else:
            made[section] = _section(section, tables[section], cast(Mapping[str, object], lines), complaints)
    return made, tuple(complaints)


def _section(section: str, table: Table, lines: Mapping[str, object], complaints: list[str]) -> Table:
    wishes: dict[str, Wish] = {}
    for name, said in lines.items():
        wish = _wish(table, name, said)
        if isinstance(wish, Wish):
            wishes[wish.action] = wish
        else:
            complaints.append(f"[{section}] {wish}")
    while against := next(_conflicts(table, wishes), None):
        action, why = against
        del wishes[action]
        complaints.append(f"[{section}] {why}")
    return _with(table, wishes)


def _with(table: Table, wishes: Mapping[str, Wish]) -> dict[str, Key]:
    return {action: wishes[action].key if action in wishes else key for action, key in table.items()}


def _wish(table: Table, name: str, said: object) -> Wish | str:
    """What a line of the keymap wants, or what is wrong with the line by itself."""
    actions = {named(action, key): action for action, key in table.items()}
    if name not in actions:
        like = get_close_matches(name, actions, 1)
        return f"there is no act “{name}”: " + (
            f"did you mean “{like[0]}”?" if like else "docs/keys.md and ctrl+p list them all"
        )
    key = table[actions[name]]
    stays = f"{name} stays on {key.shown}"
    if key.fixed:
        return f"{name} can't be moved, so that nothing ends a release by habit: {stays}"
    keys = [spelled(part) for part in said.split(",")] if isinstance(said, str) else []
    keys = list(dict.fromkeys(keys))
    if not all(keys) or not 0 < len(keys) <= KEYS_MOST:
        return f'{stays}: write its keys in quotes, such as {name} = "f2" or "K, ctrl+k" (a comma is “comma”)'
    for one in keys:
        if why := unknown(one):
            return f"“{printed(one)}”: {why}; {stays}"
        if one in HABIT.split(","):
            return f"{printed(one)} never does anything but explain itself; {stays}: write another key"
        if key.harm and not _deliberate(one):
            return (
                f"{name} stops or undoes a release, so {printed(one)} is too easily pressed: "
                f"{stays}; write a capital letter, a function key or ctrl and a letter"
            )
    return Wish(actions[name], replace(key, key=",".join(keys), shown=" ".join(printed(one) for one in keys)))


def _deliberate(key: str) -> bool:
    """Whether nobody presses it in passing."""
    *held, base = key.split("+")
    return base in FUNCTION or (len(base) == 1 and base.isalpha() and (base.isupper() or held == ["ctrl"]))


def _conflicts(table: Table, wishes: Mapping[str, Wish]) -> Iterator[tuple[str, str]]:
    """(action, why) for each wish that can't be beside the others and what stays as it is; the later one gives way."""
    whole = _with(table, wishes)
    for one, other in combinations(whole, 2):
        given = [action for action in wishes if action in (one, other)]
        if not given:
            continue
        loser = given[-1]
        against = other if loser == one else one
        if why := _against(whole, loser, against):
            stays = f"{named(loser, table[loser])} stays on {table[loser].shown}"
            yield loser, f"{why}: {stays}"


def _against(whole: Mapping[str, Key], action: str, against: str) -> str:
    key, has = whole[action], whole[against]
    name, other = named(action, key), named(against, has)
    for one in key.each:
        if one in has.each:
            return f"{printed(one)} can't be “{name}”: it is “{other}” already (give that another key, too)"
        near = next((k for k in has.each if key.harm != has.harm and beside(one, k)), "")
        if near:
            stops = other if has.harm else name
            return (
                f"{printed(one)} lies beside {printed(near)} (“{other}”), and “{stops}” stops or undoes a release, "
                "so a slip could reach it: write a key further away"
            )
    return ""
