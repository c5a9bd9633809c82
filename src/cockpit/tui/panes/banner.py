"""The banners: the log can't be written any more, the session is out of reach, or another driver has taken over."""

from __future__ import annotations

from cockpit.core.errors import LogError
from cockpit.runtime.link import OUT_OF_REACH, UNWRITABLE
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, count, line, pad, time_of_day, wrap


def out_of_reach(scene: Scene) -> bool:
    """Whether the session can't be reached from this screen any more, however it is."""
    return OUT_OF_REACH in scene.link.failure


def banner(scene: Scene, width: int, most: int) -> list[Line]:
    """Why this screen starts nothing more, in at most `most` lines; empty while it may."""
    state = scene.state
    if state.closed is not None:
        return []
    if out_of_reach(scene):
        head, leave = "OUT OF REACH OF THE SESSION: IT MAY WELL GO ON", " leave, then `cockpit attach`"
        said = [scene.link.failure, _until(scene)]
    elif failure := scene.link.failure:
        unwritable = UNWRITABLE in failure
        fault = "THE LOG CAN'T BE WRITTEN" if unwritable else "COCKPIT ITSELF BROKE"
        head = f"{fault}: NOTHING FURTHER STARTS"
        said = [failure, f"{_running(scene, 'the resume')} {_until(scene)}"]
        leave = f" leave (exit code {LogError.exit_code})" if unwritable else " leave"
    elif state.replaced is not None:
        when = time_of_day(state.replaced.at, scene.zone)
        head, leave = f"TAKEN OVER AT {when}: ANOTHER SESSION DRIVES THIS RELEASE", " leave"
        running = _running(scene, "the other session")
        said = [f"Nothing is decided here any more, and limits don't act from here. {running}"]
    else:
        return []
    first = line((pad(f" ■ {head}", width), "banner"))
    parts = [line((f"   {part}", "alarm" if n == 0 else "text")) for n, part in _wrapped(said, width - 6)]
    last = line("   ", (scene.keys["leave"], "key"), (leave, "strong"))
    return [first, *parts[: max(0, most - 2)], last][:most]


def _wrapped(said: list[str], width: int) -> list[tuple[int, str]]:
    return [(n, part) for n, text in enumerate(said) for part in wrap(text, width)]


def _running(scene: Scene, finder: str) -> str:
    """What becomes of the steps that run."""
    n = len(scene.state.running())
    if not n:
        return "Nothing was running."
    go, it = ("goes on by itself", "it") if n == 1 else ("go on by themselves", "they")
    return f"{count(n, 'step')} {go}; {finder} finds how {it} ended."


def _until(scene: Scene) -> str:
    return f"Below stands what was known at {time_of_day(scene.at, scene.zone)}."
