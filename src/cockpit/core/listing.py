"""Many names in few words: the first of them and how many more there are, or those that count on as a range."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def some(names: Sequence[str], most: int = 6, between: str = ", ") -> str:
    """`a, b, c`; where they are more than `most`, the first ones and how many more there are.

    That is never just one, but where `most` is 1: then it is the first, and all others are only counted.
    """
    if len(names) <= most:
        return between.join(names)
    shown = max(1, most - 1)
    return f"{between.join(names[:shown])} and {len(names) - shown} more"


def ranges(names: Sequence[str]) -> str:
    """`db, web-[001-012]`: all names; those that only count on, from three on, as a plan writes a range of them."""
    return ", ".join(_ranges(names))


def _ranges(names: Sequence[str]) -> Iterator[str]:
    run: list[str] = []
    for name in names:
        if run and _after(run[-1], name):
            run.append(name)
            continue
        yield from _told(run)
        run = [name]
    yield from _told(run)


def _told(run: Sequence[str]) -> Sequence[str]:
    if len(run) < 3:
        return run
    (before, first), (_, last) = _counted(run[0]), _counted(run[-1])
    return [f"{before}[{first}-{last}]"]


def _after(one: str, other: str) -> bool:
    """Whether `other` is the name that follows `one` when one counts on."""
    (before, first), (again, then) = _counted(one), _counted(other)
    return before == again and bool(first and then) and f"{int(first) + 1:0{len(first)}d}" == then


def _counted(name: str) -> tuple[str, str]:
    """A name up to the number at its end, and the number as it is written; empty where it has none."""
    before = name.rstrip("0123456789")
    return before, name[len(before) :]
