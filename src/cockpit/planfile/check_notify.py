"""Checks of [[notify]]: how people are told, and what an address gives away."""

from __future__ import annotations

import re
from importlib.util import find_spec
from urllib.parse import urlsplit

from cockpit.core.secret import is_reference
from cockpit.planfile.models import PlanFile
from cockpit.planfile.positions import Path
from cockpit.planfile.problem import Findings
from cockpit.planfile.rollout_tables import NotifyTable
from cockpit.steps import misquoted

APPRISE = 'pip install "release-cockpit[apprise]"'

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://\S")


def check(plan: PlanFile, findings: Findings) -> None:
    """Every [[notify]] tells somebody, and its address stays out of what people see."""
    for i, notify in enumerate(plan.notify):
        path: Path = ("notify", i)
        _exactly_one(path, notify, findings)
        _quotes((*path, "run"), notify.run or "", findings)
        if notify.url is not None and notify.run is None and not is_reference(notify.url):
            _address((*path, "url"), notify.url, findings)


def _quotes(path: Path, run: str, findings: Findings) -> None:
    if "message" in misquoted(run):
        message = "`{message}` stands inside quotes or a here-document: people's words could run as code"
        hint = "write {message} without quotes around it; it is quoted by itself"
        findings.problem(path, message, hint, within="{message}")


def _address(path: Path, url: str, findings: Findings) -> None:
    """An address that stands in the plan itself."""
    found = _ADDRESS.match(url)
    web = found is not None and found[1].lower() in ("http", "https")
    if found is None or (web and not _has_host(url)):
        hint = 'write "https://…", "env:NAME", "file:PATH" or "cmd:COMMAND"'
        findings.problem(path, "this is no address: nobody would be told", hint, key=True, secret=True)
    elif not web and find_spec("apprise") is None:
        message = f"{found[1]}:// needs apprise, which isn't installed here: nobody is told by it"
        findings.warn(path, message, APPRISE, key=True, secret=True)
    else:
        message = (
            "whoever has a hook's address can write to it, and this one stands in the plan and in every log"
        )
        hint = 'write url = "env:NAME", "file:PATH" or "cmd:COMMAND": where to look it up'
        findings.warn(path, message, hint, key=True, secret=True)


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


def _exactly_one(path: Path, notify: NotifyTable, findings: Findings) -> None:
    unread = (*path, "run") in findings.broken or (*path, "url") in findings.broken
    if notify.run is not None and notify.url is not None:
        message = "`run` and `url` can't both stand here"
        findings.problem((*path, "url"), message, "keep one of the two", key=True, secret=True)
    elif notify.run is None and notify.url is None and not unread:
        message = "neither `run` nor `url`: nothing would happen"
        findings.problem(path, message, "write run = ... or url = ...", key=True)
