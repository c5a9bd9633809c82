"""What keys do: each puts its question, or says why not; what is answered goes to the session."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.notifications import Notify

from cockpit.core.attendance import speaks
from cockpit.core.commands import Command, Refused, RollBack, SignedCommand
from cockpit.runtime.link import Link
from cockpit.tui import asks
from cockpit.tui.asked import ASKED, Chosen, about
from cockpit.tui.asks import Ask, Asked, Made
from cockpit.tui.dialogs import Answer, Dialog
from cockpit.tui.keyed import Keyed
from cockpit.tui.panes.banner import out_of_reach
from cockpit.tui.review import Elsewhere, ReviewScreen
from cockpit.tui.signing import SignDialog, Wanted, wants_key
from cockpit.tui.text import visible, wrap

SAID_FRAME, NARROW = 3, 60
"""Cells of the edges of what is said above the keys, and so many of it that a screen with fewer is narrow."""

SAID_LINES, SAID_LINES_NARROW = 3, 5
"""Lines of it, at most, and in a narrow screen."""

SAID_LOW = 20
"""Rows of a screen that has room for two of it."""

EXPLAINED = "ctrl+c does nothing here. {pauses}{leave} leaves the screen after a question."


class Acts(Keyed, inherit_bindings=False):
    """The half of the app that acts: on `link`, about what is chosen on the screen."""

    link: Link
    subject: tuple[str, str, str]
    chosen_in: str = ""
    """The pane in which the subject's target was chosen, by its title."""

    elsewhere: Elsewhere

    def action_pause(self) -> None:
        """Pause, resume, or accept an exceeded limit."""
        self._ask("pause")

    def action_go(self) -> None:
        """Start, or promote the stage that waits."""
        self._ask("go")

    def action_roll_back(self) -> None:
        """Undo what was touched."""
        self._ask("roll_back")

    def action_abort(self) -> None:
        """Stop, and leave everything as it is."""
        self._ask("abort")

    def action_retry(self) -> None:
        """Run a step again on the chosen target."""
        self._ask("retry")

    def action_exclude(self) -> None:
        """Leave the chosen target out."""
        self._ask("exclude")

    def action_doubt(self) -> None:
        """Say what became of a step in doubt."""
        self._ask("doubt")

    def action_close(self) -> None:
        """Close a partial rollback."""
        self._ask("close")

    def action_sign(self) -> None:
        """Sign the chosen item, or the first open one."""
        self._ask("sign")

    def action_enter_number(self) -> None:
        """Enter the number of a signal that a person reads."""
        self._ask("enter_number")

    def action_change_limit(self) -> None:
        """Move the chosen limit, or one of them all."""
        self._ask("change_limit")

    def action_unexplained(self) -> None:
        """Say that nobody can explain what is seen, or what it was."""
        self._ask("unexplained")

    def action_decline(self) -> None:
        """Don't roll back although it is proposed."""
        self._ask("decline")

    def action_answer(self) -> None:
        """I'm here, to a call."""
        self._ask("answer")

    def action_reject(self) -> None:
        """Say no to the stage that waits at its gate."""
        self._ask("reject")

    def action_accept(self) -> None:
        """Accept the roles that wait, or decline one that is offered."""
        self._ask("accept")

    def action_hand_over(self) -> None:
        """Offer a role to somebody, or take the offer back."""
        self._ask("hand_over")

    def action_take_role(self) -> None:
        """Take over the role of somebody who isn't here."""
        self._ask("take_role")

    def action_note(self) -> None:
        """Write a note."""
        self._ask("note")

    def action_review(self) -> None:
        """What cost time, the review's questions, and its actions."""
        self.push_screen(ReviewScreen(lambda: self.scene, self.elsewhere))

    @property
    def chosen(self) -> Chosen:
        """What is under the cursor, as far as acts are about it; else the target that was chosen last."""
        row = self.panes[self.front].row if self.panes else None
        if row is None:
            return Chosen(self.subject[0], earlier=self.chosen_in)
        item = row.item if self.front == "checklist" else ""
        limit = row.limit if self.front == "limits" else ""
        if row.target:
            return Chosen(row.target, item, limit)
        return Chosen(self.subject[0], item, limit, self.chosen_in)

    def against(self, action: str) -> str:
        """Why an act that isn't offered would do nothing, or empty."""
        if action not in ASKED:
            return ""
        if said := self._halted():
            return said
        asked = ASKED[action](self.scene, self.chosen)
        return asked if isinstance(asked, str) else ""

    def _ask(self, action: str) -> None:
        chosen = self.chosen
        asked = about(self.scene, action, chosen)
        if isinstance(asked, Ask) and (one := asked.about):
            chosen = Chosen(one, one, one, chosen.earlier if one == chosen.target else "")
            # an act goes by one of them, and stays with that
        self._act(asked, lambda: self._halted() or about(self.scene, action, chosen))

    def _halted(self) -> str:
        """Why nothing can be decided from this screen, whatever it is; or empty."""
        link = self.link
        if link.failure:
            lost = "asked for" if out_of_reach(self.scene) else "recorded"
            return f"Nothing can be {lost} any more: {link.failure}"
        if link.state.replaced is not None:
            return (
                "Another session drives this release now: nothing is decided here any more. "
                f"{self.scene.keys['leave']} leaves."
            )
        refused = speaks(link.state.plan, link.seat, link.me)
        return refused.reason if refused is not None else ""

    def _act(self, asked: Asked, anew: Callable[[], Asked]) -> None:
        """Put the question, which `anew` asks as it stands then; send the command, or say why not."""
        if said := self._halted():
            self.say(said)
        elif isinstance(asked, str):
            self.say(asked)
        elif isinstance(asked, Ask):
            self._put(asked, anew)
        else:
            self._send(asked)

    def _put(self, ask: Ask, anew: Callable[[], Asked] | None = None) -> None:
        def answered(answer: Answer | None) -> None:
            if answer is not None and answer.make is not None:
                via = asks.entered_by(self.scene, answer.by)
                self._follow(answer.make(self.link.now(), answer.by, via, answer.text))

        self.push_screen(Dialog(ask, self.scene, anew), answered)

    def _follow(self, made: Made) -> None:
        """The next question, or what was decided."""
        if isinstance(made, Ask):
            self._put(made)
        elif isinstance(made, tuple):
            self._send(*made)
        else:
            self._send(made)

    def _send(self, *commands: Command) -> None:
        self.run_worker(self._sent(commands))

    async def _sent(self, commands: Sequence[Command]) -> None:
        for command in commands:
            signed = wants_key(self.scene, command)
            first = signed and isinstance(command, RollBack) and self.link.state.back_asked is None
            refused = None
            if first or not signed:  # all stands still before a key is looked for
                refused = await self.link.send(command)
            if signed and refused is None:
                refused = await self._sent_signed(command)
            if refused is not None:
                self.say(refused.reason)
                break
        self.draw()

    async def _sent_signed(self, command: Command) -> Refused | None:
        """Have it signed by the agent here, else with a key that is elsewhere; the person may go back from that."""
        assert isinstance(command, SignedCommand)
        why = ""
        if command.by == self.link.me:
            signed = await self.link.sign(command)
            if not isinstance(signed, Refused):
                return await self.link.send(signed)
            why = signed.reason
        while True:
            challenge = await self.link.challenge(command)
            if isinstance(challenge, Refused):
                return challenge
            block = await self.push_screen_wait(SignDialog(self.scene, Wanted(command, challenge, why)))
            if block is None and isinstance(command, RollBack):
                return Refused("Nothing was signed: the rollback still waits for that.")
            if block is None:
                return Refused("Nothing was signed, and nothing was decided.")
            if (refused := await self.link.send(block)) is None:
                return None
            why = refused.reason

    def say(self, text: str) -> None:
        """A few lines above the keys, as plain text."""
        self.notify(visible(text), markup=False)

    def on_notify(self, event: Notify) -> None:
        """What is said is cut to its lines; two things are said at a time, where there is room, and none twice."""
        said = event.notification
        said.message = "\n".join(_cut(said.message, self.size.width - SAID_FRAME))
        every = list(self._notifications)
        others = [one for one in every if one.message != said.message]
        kept = others[-1:] if self.size.height >= SAID_LOW else []
        for old in every:
            if old not in kept:
                self._unnotify(old, refresh=False)
                self.screen.query(f"#--textual-toast-{old.identity}").remove()

    def action_explain(self) -> None:
        """ctrl+c, ctrl+q and ctrl+z do nothing, and say so."""
        may_act = self.link.seat.may_act
        shown = self.scene.keys
        pauses = f"{shown['pause']} pauses the release, " if may_act else ""
        self.say(EXPLAINED.format(pauses=pauses, leave=shown["leave"]))

    def action_leave(self) -> None:
        """q: at once when the session is over or nothing can be done in it, else after a question."""
        state = self.link.state
        if state.closed or state.left or state.replaced or self.link.failure:
            self.exit()
            return

        def answered(answer: Answer | None) -> None:
            if answer is not None:
                self.exit()

        self.push_screen(Dialog(asks.leave(self.scene), self.scene, lambda: asks.leave(self.scene)), answered)


def _cut(text: str, width: int) -> list[str]:
    """`text` in a few lines; where it has more, the middle goes: what to do stands at the end."""
    most = SAID_LINES if width >= NARROW else SAID_LINES_NARROW
    if len(lines := wrap(text, width)) <= most:
        return lines
    lines = wrap(text, width - 2)
    return [*lines[: most - 1], f"… {lines[-1]}"]
