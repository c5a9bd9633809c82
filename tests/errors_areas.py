"""Where on docs/errors.md the messages of a module stand: under what somebody was doing when they came."""

# ruff: noqa: E501 - an area a line

from __future__ import annotations

WHAT_ENDS: dict[str, tuple[str, ...]] = {
    "What was typed": ("cli/help.py",),
    "`cockpit run`, `resume`: opening a session, and driving it": (
        *("cli/driving.py", "cli/apart.py", "runtime/session.py", "runtime/headless.py", "store/environment.py"),
    ),
    "Screens: `cockpit attach`, `watch`, and acts from a shell": (
        *("cli/attending.py", "cli/guard.py", "runtime/mirror.py", "runtime/sockets.py", "tui/dressing.py"),
        *("tui/theme.py", "cli/serving.py", "cli/serving_web.py"),
    ),
    "`cockpit check`, `rehearse`": ("cli/backtesting.py", "cli/rehearsing.py", "runtime/rehearsal.py", "store/rehearsals.py"),
    "`cockpit init`": ("cli/starting.py",),
    "`cockpit doctor`": ("cli/doctor.py",),
    "`cockpit demo`": ("demo/fleet.py",),
    "`cockpit sign`": ("cli/signing.py", "remote/signing.py"),
    "`cockpit review`, `actions`": ("cli/reviewing.py", "cli/actions.py", "cli/keeping.py"),
    "`cockpit replay`": ("cli/replaying.py", "runtime/replaying_timeline.py"),
    "`cockpit export`": ("cli/exporting.py",),
    "`cockpit sessions --push`": (
        *("cli/archiving.py", "remote/archive_faults.py", "remote/archive_postgres.py", "remote/archive_s3.py"),
        "store/archive.py",
    ),
    "`cockpit verify`, and logs of sessions": (
        *("cli/reading.py", "cli/session.py", "store/codec.py", "store/files.py", "store/log.py", "store/opening.py"),
        *("store/recording.py", "store/sessions.py"),
    ),
    "Logging in to targets": ("remote/hostkeys.py", "remote/login.py"),
}  # fmt: skip

REFUSED: dict[str, tuple[str, ...]] = {
    "Start, pause, resume, roll back, abort, close": ("core/decide.py", "core/authority.py", "core/people.py", "runtime/engine.py"),
    "A rollback that takes others' agreement": ("core/consent.py",),
    "Promote and reject": ("core/gates.py",),
    "Sign-offs": ("core/checklist.py", "runtime/signatures.py"),
    "Roles": ("core/roles.py",),
    "Alarms, calls, and what nobody can explain": ("core/alarm.py",),
    "Limits": ("core/limits.py",),
    "Targets in trouble": ("core/mend.py",),
    "Screens, and who is at them": ("core/attendance.py", "runtime/server.py", "runtime/replaying.py", "tui/acts.py", "tui/still.py"),
    "The review": ("core/review.py",),
}  # fmt: skip

NOTHING_RAN: dict[str, tuple[str, ...]] = {
    "The connection": ("remote/ssh.py", "remote/login.py", "remote/session.py"),
    "On the target, or on this machine": ("remote/control.py", "remote/here.py"),
}

IN_A_PLAN: dict[str, tuple[str, ...]] = {
    "The file": ("planfile/reading.py", "planfile/checked.py", "planfile/validation.py"),
    "What `cockpit init` is answered": ("cli/questions.py", "planfile/drafting.py"),
    "`[window]`": ("planfile/check_window.py",),
    "`[people]` and `[roles]`": ("planfile/check_people.py", "planfile/keys.py"),
    "`[targets]` and names": ("planfile/names.py",),
    "`inventory` under `[targets]`": ("planfile/inventory.py", "remote/inventory.py", "cli/loading.py"),
    "`[secrets]`": ("planfile/check_secrets.py",),
    "`[[step]]` and `[[stage]]`": ("planfile/check_rollout.py", "planfile/check_playbooks.py"),
    "Gates": ("planfile/check_gates.py",),
    "`[[signal]]` and `[[threshold]]`": ("planfile/check_signals.py", "planfile/check_sources.py", "planfile/check_compare.py", "planfile/typed_limit.py"),
    "`[[checklist]]`": ("planfile/check_checklist.py",),
    "`[[notify]]`": ("planfile/check_notify.py",),
    "Spans, counts, ranges": ("planfile/scalars.py",),
}  # fmt: skip
