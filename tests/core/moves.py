"""What every sentence about the next move has to tell."""

from __future__ import annotations

from cockpit.core.state import State

NOBODY_NEEDED = ("nobody", "by itself", "if signals stay clean")
SOMEBODY = ("you", "anyone", "somebody")


def says_whose_move(said: str, state: State) -> bool:
    """Whether it names a person, or says that nobody is needed; once it is over there is no move any more."""
    names = tuple(person.name for person in state.plan.people)
    return bool(said) and (
        state.closed is not None or any(w in said for w in (*names, *SOMEBODY, *NOBODY_NEEDED))
    )
