"""What each act asks: the question, the command that needs none, or why it can't be done now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cockpit.tui import asks
from cockpit.tui.asks import Ask, Asked
from cockpit.tui.scene import Scene
from cockpit.tui.text import line


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is chosen on the screen, as far as acts are about it; empty where it isn't.

    `earlier` is the pane in which the target was chosen, where the cursor is on nothing that names one now.
    """

    target: str = ""
    item: str = ""
    limit: str = ""
    earlier: str = ""


def about(scene: Scene, action: str, chosen: Chosen) -> Asked:
    """What an act asks; where it is about a target that isn't under the cursor, the question says so."""
    asked = ASKED[action](scene, chosen)
    by_target = action in BY_TARGET and chosen.target != "" and chosen.earlier != ""
    if by_target and isinstance(asked, Ask) and asked.about == chosen.target:
        said = f"{chosen.target} was chosen earlier, in the {chosen.earlier}: the cursor is on no target now."
        return replace(asked, lines=(line((said, "warn")), *asked.lines))
    return asked


BY_TARGET = ("doubt", "retry", "exclude")
"""The acts that are about the chosen target."""

ASKED: Mapping[str, Callable[[Scene, Chosen], Asked]] = {
    "pause": lambda scene, chosen: asks.pause(scene),
    "go": lambda scene, chosen: asks.go(scene),
    "reject": lambda scene, chosen: asks.reject(scene),
    "roll_back": lambda scene, chosen: asks.roll_back(scene),
    "abort": lambda scene, chosen: asks.abort(scene),
    "unexplained": lambda scene, chosen: asks.unexplained(scene),
    "decline": lambda scene, chosen: asks.decline(scene),
    "answer": lambda scene, chosen: asks.answer(scene),
    "doubt": lambda scene, chosen: asks.doubt(scene, chosen.target),
    "retry": lambda scene, chosen: asks.retry(scene, chosen.target),
    "exclude": lambda scene, chosen: asks.exclude(scene, chosen.target),
    "close": lambda scene, chosen: asks.close(scene),
    "sign": lambda scene, chosen: asks.sign(scene, chosen.item),
    "enter_number": lambda scene, chosen: asks.enter(scene),
    "accept": lambda scene, chosen: asks.accept(scene),
    "hand_over": lambda scene, chosen: asks.hand_over(scene),
    "take_role": lambda scene, chosen: asks.take(scene),
    "change_limit": lambda scene, chosen: asks.change_limit(scene, chosen.limit),
    "note": lambda scene, chosen: asks.note(scene),
}
"""The acts, by their actions."""
