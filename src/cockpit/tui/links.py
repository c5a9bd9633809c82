"""Links: the web addresses in a text, where they stand in its rows, and opening one when somebody asks."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import lru_cache

from rich.style import Style

LONGEST = 2000
"""Characters of an address that is taken for one."""

_RUN = re.compile(r"https?://[!#-;=?-\[\]_a-z~]++(?=[\s\"'<>`”»’)]|$)")
"""Printable ASCII up to a gap or a closing quote; where anything else follows, it isn't the whole address."""

_HOST = re.compile(
    r"https?://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::\d+)?(?:[/?#]|$)"
)
"""With nothing before the host: a name and an @ in front make an address look like another's."""

_LEAST = len("https://x")
Place = tuple[int, int, str]
"""(from, to, address) in the characters of a row."""


def links(text: str) -> tuple[str, ...]:
    """The http and https addresses in `text`, each once, in order."""
    if "://" not in text:
        return ()
    found = (_ending(run) for run in _RUN.findall(text))
    return tuple(dict.fromkeys(url for url in found if len(url) <= LONGEST and _HOST.match(url)))


def _ending(run: str) -> str:
    """Without the punctuation of the sentence around it."""
    while run and (
        run[-1] in ".,;:!?'*" or (run[-1] in ")]" and run.count(run[-1]) > run.count("(["[run[-1] == "]"]))
    ):
        run = run[:-1]
    return run


def places(text: str, urls: Iterable[str]) -> list[Place]:
    """Where `urls` stand in a row, whole or as the part of one that was broken over several rows."""
    found: list[Place] = []
    for url in urls:
        at = text.find(url)
        while at >= 0:
            end = at + len(url)
            if text[end : end + 1] in ("", " ") or url in links(text[at:]):
                found.append((at, end, url))
            at = text.find(url, end)
        if part := _part(text, url):
            found.append((*part, url))
    return sorted(_apart(sorted(found, key=lambda place: place[0] - place[1])))


def _part(text: str, url: str) -> tuple[int, int] | None:
    """The start of `url` at the row's end, its middle as the whole row, or its end at the row's start."""
    shown = text.rstrip()
    if (at := shown.rfind(url[:_LEAST])) >= 0 and url.startswith(shown[at:]):
        return at, len(shown)
    start = len(shown) - len(shown.lstrip())
    words = shown[start:].split(" ")[0]
    if not start and not words:
        return None
    if len(words) >= 4 and (url.endswith(words) or (words == shown[start:] and words in url)):
        return start, start + len(words)
    return None


def _apart(found: Iterable[Place]) -> Iterator[Place]:
    taken: list[Place] = []
    for place in found:
        if all(place[1] <= other[0] or place[0] >= other[1] for other in taken):
            taken.append(place)
            yield place


@lru_cache(256)
def style(url: str) -> Style:
    """A terminal hyperlink; the same one for each part of a broken address."""
    return Style(link=url)


def links_within(value: object) -> tuple[str, ...]:
    """The addresses in every text of a value made of dataclasses, tuples and mappings, such as a plan."""
    return tuple(dict.fromkeys(url for text in _texts(value) for url in links(text)))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for one in fields(value):
            yield from _texts(getattr(value, one.name))
    elif isinstance(value, Mapping):
        yield from (text for one in value.values() for text in _texts(one))
    elif isinstance(value, (tuple, list)):
        yield from (text for one in value for text in _texts(one))


def opener(env: Mapping[str, str] = os.environ) -> str:
    """The program that opens an address on a display of this machine, or empty where there is none."""
    if sys.platform == "darwin":
        return "" if "SSH_CONNECTION" in env else shutil.which("open", path=env.get("PATH")) or ""
    shown = env.get("WAYLAND_DISPLAY") or env.get("DISPLAY")
    return (shutil.which("xdg-open", path=env.get("PATH")) or "") if shown else ""


async def open_with(program: str, url: str) -> None:
    """Start `program` on the address, apart from this terminal; it lives on by itself."""
    behind = '"$0" "$1" </dev/null >/dev/null 2>&1 &'  # sh ends at once, and nobody waits for a browser
    nothing = asyncio.subprocess.DEVNULL
    started = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", behind, program, url,
        stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True,
    )  # fmt: skip
    await started.wait()


def first(candidates: Sequence[Sequence[str]]) -> Sequence[str]:
    """The first that has any."""
    return next((urls for urls in candidates if urls), ())
