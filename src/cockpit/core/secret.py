"""Secrets as a plan has them: never a value, only where one is looked up."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cockpit.core.plan import Plan

_REFERENCE = re.compile(r"(env|file|cmd):\S")


def is_reference(value: str) -> bool:
    """Whether `value` points at a secret: `env:NAME`, `file:PATH` or `cmd:LINE`."""
    return _REFERENCE.match(value) is not None


def references(plan: Plan) -> Mapping[str, str]:
    """Where each secret for commands is looked up, by what to call it: `token`, or `token of web` for a stage's own."""
    found = dict(plan.secrets)
    for stage in plan.stages:
        found |= {f"{name} of {stage.name}": v for name, v in stage.vars.items() if is_reference(v)}
    for signal in plan.signals:
        if password := signal.options.get("password"):
            found[f"password of {signal.name}"] = str(password)
    return found
