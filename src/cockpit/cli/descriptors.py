"""How many files and connections may be open at once: each target's connection is one of them."""

from __future__ import annotations

import resource

from cockpit.core.plan import Plan

MOST = 65_536
"""More than that nobody needs, and a program of ours that closes all it might have open would take long."""

BESIDE = 100
"""What is open beside the targets' connections: the log, screens, commands on this machine."""


def as_many_as_may_be() -> None:
    """Take what this login may have: what it is given at first, often 1,024, is too little for 1,000 targets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(MOST, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):  # a system that allows less than it says: it stays as it is
            return


def allowed() -> int:
    """How many may be open now; MOST where there is no end to it."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else soft


def needed(plan: Plan) -> int:
    """How many a release of this plan has open at once; through a jump host hundreds of targets share a connection."""
    return BESIDE + (1 if plan.ssh.jump else len(plan.targets))


def objection(plan: Plan) -> str:
    """Why this plan's targets can't all be connected to at once, or empty."""
    if needed(plan) <= allowed():
        return ""
    return (
        f"{len(plan.targets)} targets want {needed(plan)} files and connections open at once, and this login may have "
        f"{allowed()}: raise its hard limit (`ulimit -Hn`, nofile in /etc/security/limits.conf) and log in again"
    )
