"""A plan file, read together with what its inventory says: the way in for every command that takes one."""

from __future__ import annotations

import os
import re
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cockpit.cli.help import there
from cockpit.core.errors import NoInventory

MOST_BYTES = 1024 * 1024

_MAY_HAVE_ONE = re.compile(rb"^[ \t]*(?:inventory\b|\[ *targets *\. *inventory *\])", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Read:
    """Where the hosts of a plan's inventory come from: asked now, or as `session` recorded them."""

    said: tuple[str, ...] = ()
    """What Ansible warned of."""
    session: str = ""


def load(path: Path, now: datetime | None = None) -> Any:
    """The checked plan at `path`, whose inventory, if it has one, is read now."""
    with Begun(path) as begun:
        return begun.load(now)


def nobody(plan: Any) -> str:
    """What a command didn't contact that only plays or compares: an inventory may have asked others for its hosts."""
    return "nothing" if plan.inventory is None else "no target"


class Begun:
    """A plan that is about to be read. Its inventory's program takes a second: it runs while the rest is imported.

    `offline`: nobody is asked for the inventory's hosts.
    """

    def __init__(self, path: Path, *, offline: bool = False) -> None:
        self.read = Read()
        self._path = there(path)
        self._directory = Path(os.path.abspath(path)).parent
        self._offline = offline
        self._listing: Any = None
        if source := _source(self._path):
            self._begin(source)

    def load(self, now: datetime | None = None) -> Any:
        """The checked plan; `read` then tells where its inventory's hosts come from."""
        from cockpit.planfile import load

        return load(self._path, now, self._hosts)

    def __enter__(self) -> Begun:
        return self

    def __exit__(self, *_: object) -> None:
        if self._listing is not None:
            self._listing.close()

    def _hosts(self, wanted: Any) -> str:
        """As `planfile.inventory.Reader`."""
        if (
            self._listing is None or self._listing.source != wanted.source
        ):  # or the plan was changed meanwhile
            self.__exit__()
            self._begin(wanted.source)
        if self._listing is None:
            return self._recorded(wanted.source)
        printed = self._listing.printed()
        self.read = Read(self._listing.said)
        return printed

    def _begin(self, source: str) -> None:
        """Read it; offline only what is at rest."""
        from cockpit.remote.inventory import Listing, is_at_rest

        may = not self._offline or is_at_rest(source, self._directory)
        self._listing = Listing(source, self._directory, at_rest=self._offline) if may else None

    def _recorded(self, source: str) -> str:
        """What the newest session recorded of it; NoInventory where none did."""
        from cockpit.store.sessions import with_inventory

        release = _document(self._path).get("release")
        said = release if isinstance(release, dict) else {}
        service, environment = (str(said.get(key, "")) for key in ("service", "environment"))
        last = with_inventory(service, environment)
        if last is None:
            raise NoInventory(
                f"`{source}` may ask others for its hosts, so --offline doesn't run it, and no session of {service} in "
                f"{environment} recorded them",
                "check the plan without --offline",
            )
        self.read = Read(session=last.session)
        return last.inventory


def _source(path: Path) -> str:
    """The source of the plan's inventory, if it plainly has one; else empty: the check of the plan says more."""
    with suppress(LookupError, TypeError):
        source = _document(path, _MAY_HAVE_ONE)["targets"]["inventory"]["ansible"]
        return source if isinstance(source, str) else ""
    return ""


def _document(path: Path, only: re.Pattern[bytes] = re.compile(b"")) -> dict[str, Any]:
    """The plan as TOML has it; empty where it is none, or has nothing of that pattern."""
    with suppress(OSError, ValueError, RecursionError), path.open("rb") as file:
        data = file.read(MOST_BYTES)
        return tomllib.loads(data.decode("utf-8-sig")) if only.search(data) else {}
    return {}
