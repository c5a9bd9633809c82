"""The plain sentence: what the release waits for, and whose move it is, as it is told to whoever sits here."""

from __future__ import annotations

from cockpit.core import events as ev
from cockpit.core import moves, view
from cockpit.tui.panes.banner import out_of_reach
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, line, wrap

LINES_MOST = 2


def sentence(scene: Scene, width: int, most: int = LINES_MOST, brief: bool = False) -> list[Line]:
    """It in lines of `width`, cut where it would take too many. `brief`: a question says what it is about."""
    lines = wrap(_sentence(scene, brief), width)
    shown = [line((part, "strong")) for part in lines[:most]]
    if len(lines) > most:
        shown[-1] = (shown[-1] + line((" …", "strong"))).cut(width)
    return shown


def _sentence(scene: Scene, brief: bool) -> str:
    """`next:` and what the release waits for; `your move:` where that is whoever sits here."""
    move = scene.once(_move)
    if scene.state.closed is not None:
        return move.says
    said = move.brief if brief and move.brief else move.says
    return f"{'your move' if scene.link.me and scene.link.me in move.who else 'next'}: {said}"


def _move(scene: Scene) -> moves.Move:
    state, mine = scene.state, (scene.link.me,)
    if out_of_reach(scene) and state.closed is None:
        back = "this screen can do nothing any more: leave, then `cockpit attach` brings you back"
        return moves.Move(back, mine)
    if scene.link.failure and state.closed is None:
        return moves.Move("nothing further starts here: leave, then `cockpit resume` takes it up again", mine)
    move = view.next_move(state, scene.at, scene.missing, scene.link.me)
    if state.closed is not None:
        return move
    if state.left is not None:
        return moves.Move("left: nothing new starts; anyone takes it up again with `cockpit resume`")
    if state.unattended:
        said = move.says
        if isinstance(state.paused, ev.LeftAlone):
            said = f"`cockpit attach`, then {scene.called(scene.plan.roles.decision_owner)} resumes, or roll back"
        return moves.Move(f"nobody is at the controls: nothing expands; {said}")
    lost = tuple(dict.fromkeys(a.target for a in state.unsettled()))
    if lost and not (state.paused or state.replaced or state.aborted or state.rollback):
        more = f"{', '.join(lost[:3])}{' …' * (len(lost) > 3)} out of sight, being reached again"
        return moves.Move(f"{move.says}; {more}", move.who)
    return move
