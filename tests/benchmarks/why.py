"""Why a target is missed, by the name of its row: one sentence each, printed where it is."""

from __future__ import annotations

_EXAMINED = (
    "Before the first step every target is examined (supervisor, clock, what runs there, lock, each signal once), "
    "which takes forks on the target and round trips that the others don't make; the rollout alone is in the table."
)

_PAINT = (
    "A key that comes while Textual paints waits for it, 2 to 8 ms at this size: drawing and painting are cut into "
    "pieces, but each of them costs Textual a look at every widget."
)

WHY: dict[str, str] = {
    "cold 200: against the floor": _EXAMINED,
    "cold 200: client's processor, a connection more": (
        "Of each target Cockpit keeps more than a connection: channels with a shell and with its counters, their "
        "deadlines, what was examined, the step's two events in the log, and the limits that are judged."
    ),
    "cold 200: times faster than Ansible": _EXAMINED,
    "cold 200: times faster than pyinfra": _EXAMINED,
    "cold 200: times faster than Fabric": _EXAMINED,
    "cold 200: times faster than parallel-ssh": _EXAMINED,
    "cold 10: slower than xargs ssh, by": (
        "xargs and ssh start in milliseconds; the interpreter, the session's opening, the examination of the targets "
        "and the close of the log don't get shorter with fewer targets."
    ),
    "ten steps: against the floor": _EXAMINED,
    "ten steps: times faster than pyinfra": _EXAMINED,
    "ten steps at 100 ms: times faster, steps alone": (
        "A step takes one round trip instead of three, but its intent and its end are each made durable in between."
    ),
    "ten steps at 100 ms: times faster than floor": (
        "A step takes one round trip instead of three, but the examination before the first one takes round trips "
        "too, and with the start of the command ten steps don't win them back."
    ),
    "output: against the floor": (
        "Most of it is the start, the examination and the close; and output comes through a file on the target, so "
        "that a cut loses nothing of it."
    ),
    "output: times faster than pyinfra": (
        "The rollout alone is in the table; the start, the examination and the close take most of the rest."
    ),
    "ssh: connect and run on 200 targets": (
        "A connection is kept for a night: it has keepalives, deadlines and a task that notices its end; each command "
        "is wrapped, so that its own end can be told from the login shell's."
    ),
    "open 102 MB, 18038 events, 2.6 M samples: review": (
        "It lies at the limit: 1.9 to 2.1 s from one day of this machine to the next, of the same code; half a second "
        "of it is the start."
    ),
    "screen: 1,000 targets, 4 Hz, 10,000 lines/s, 120x40, key to handler, p95": _PAINT,
    "screen: 1,000 targets, 4 Hz, 10,000 lines/s, 200x60, key to handler, p95": _PAINT,
}
