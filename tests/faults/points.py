"""The failpoints there are, and where the product's source reaches them."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "cockpit"

NAMES = (
    "log.before_commit",
    "log.after_commit",
    "turn.after_append",
    "job.before_launch",
    "launch.sent",
    "launch.began",
    "launch.ended",
    "job.before_verify",
    "settle.before",
    "settle.ended",
    "release.before",
    "session.opened",
    "session.resumed",
    "session.closing",
    "export.before_write",
    "export.written",
    "screen.before_attach",
)
"""Every moment at which the fault tests may end cockpit."""


@cache
def placed() -> dict[str, list[str]]:
    """Where the source reaches each failpoint: name -> places as `file:line`."""
    found: dict[str, list[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)) if "failpoint" in text else ():
            if isinstance(node, ast.Call) and _is_reach(node.func):
                for name in ast.walk(node.args[0]):
                    if isinstance(name, ast.Constant):
                        place = f"{path.relative_to(SOURCE)}:{node.lineno}"
                        found.setdefault(str(name.value), []).append(place)
    return found


def _is_reach(called: ast.expr) -> bool:
    return isinstance(called, ast.Attribute) and ast.unparse(called) == "failpoint.reach"
