"""What keys do: each puts its question, or says why not; what is answered goes to the session."""

from __future__ import annotations

from collections.abc import Sequence

from cockpit.core.attendance import speaks
from cockpit.core.commands import Command, Refused, SignedCommand
from cockpit.runtime.link import Link
from cockpit.tui import asks
from cockpit.tui.asks import Ask, Asked, Made
from cockpit.tui.dialogs import Answer, Dialog, Help
from cockpit.tui.lines import RowPane
from cockpit.tui.panes.banner import out_of_reach
from cockpit.tui.review import Elsewhere, ReviewScreen
from cockpit.tui.scene import Scene
from cockpit.tui.signing import SignDialog, Wanted, wants_key
from cockpit.tui.text import visible
from cockpit.tui.theme import Dressed

EXPLAINED = "ctrl+c does nothing here. {pauses}{leave} leaves the screen after a question."


class Acts(Dressed, inherit_bindings=False):
    """The half of the app that acts: on `link`, about what is chosen on the screen."""

    link: Link
    front: str
    panes: dict[str, RowPane]
    subject: tuple[str, str, str]
    elsewhere: Elsewhere

    @property
    def scene(self) -> Scene:
        """This moment."""
        raise NotImplementedError

    def draw(self) -> None:
        """Draw what has changed."""
        raise NotImplementedError

    def action_pause(self) -> None:
        """Pause, resume, or accept an exceeded limit."""
        self._act(asks.pause(self.scene))

    def action_go(self) -> None:
        """Start, or promote the stage that waits."""
        self._act(asks.go(self.scene))

    def action_roll_back(self) -> None:
        """Undo what was touched."""
        self._act(asks.roll_back(self.scene))

    def action_abort(self) -> None:
        """Stop, and leave everything as it is."""
        self._act(asks.abort(self.scene))

    def action_retry(self) -> None:
        """Run a step again on the chosen target."""
        self._act(asks.retry(self.scene, self.subject[0]))

    def action_exclude(self) -> None:
        """Leave the chosen target out."""
        self._act(asks.exclude(self.scene, self.subject[0]))

    def action_doubt(self) -> None:
        """Say what became of a step in doubt."""
        self._act(asks.doubt(self.scene, self.subject[0]))

    def action_close(self) -> None:
        """Close a partial rollback."""
        self._act(asks.close(self.scene))

    def action_sign(self) -> None:
        """Sign the chosen item, or the first open one."""
        self._act(asks.sign(self.scene, self.subject[2] if self.front == "checklist" else ""))

    def action_enter_number(self) -> None:
        """Enter the number of a signal that a person reads."""
        self._act(asks.enter(self.scene))

    def action_change_limit(self) -> None:
        """Move the chosen limit, or one of them all."""
        row = self.panes["limits"].row if self.front == "limits" else None
        self._act(asks.change_limit(self.scene, row.limit if row is not None else ""))

    def action_unexplained(self) -> None:
        """Say that nobody can explain what is seen, or what it was."""
        self._act(asks.unexplained(self.scene))

    def action_decline(self) -> None:
        """Don't roll back although it is proposed."""
        self._act(asks.decline(self.scene))

    def action_answer(self) -> None:
        """I'm here, to a call."""
        self._act(asks.answer(self.scene))

    def action_reject(self) -> None:
        """Say no to the stage that waits at its gate."""
        self._act(asks.reject(self.scene))

    def action_accept(self) -> None:
        """Accept the roles that wait, or decline one that is offered."""
        self._act(asks.accept(self.scene))

    def action_hand_over(self) -> None:
        """Offer a role to somebody, or take the offer back."""
        self._act(asks.hand_over(self.scene))

    def action_take_role(self) -> None:
        """Take over the role of somebody who isn't here."""
        self._act(asks.take(self.scene))

    def action_note(self) -> None:
        """Write a note."""
        self._act(asks.note(self.scene))

    def action_review(self) -> None:
        """What cost time, the review's questions, and its actions."""
        self.push_screen(ReviewScreen(lambda: self.scene, self.elsewhere))

    def _act(self, asked: Asked) -> None:
        """Put the question, send the command, or say why not."""
        link = self.link
        if link.failure:
            lost = "asked for" if out_of_reach(self.scene) else "recorded"
            self.say(f"Nothing can be {lost} any more: {link.failure}")
        elif link.state.replaced is not None:
            self.say(
                "Another session drives this release now: nothing is decided here any more. "
                f"{self.scene.keys['leave']} leaves."
            )
        elif refused := speaks(link.state.plan, link.seat, link.me):
            self.say(refused.reason)
        elif isinstance(asked, str):
            self.say(asked)
        elif isinstance(asked, Ask):
            self._put(asked)
        else:
            self._send(asked)

    def _put(self, ask: Ask) -> None:
        def answered(answer: Answer | None) -> None:
            if answer is not None and answer.make is not None:
                via = asks.entered_by(self.scene, answer.by)
                self._follow(answer.make(self.link.now(), answer.by, via, answer.text))

        self.push_screen(Dialog(ask, self.scene), answered)

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
            refused = await (self._sent_signed(command) if signed else self.link.send(command))
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
            if block is None:
                return Refused("Nothing was signed, and nothing was decided.")
            if (refused := await self.link.send(block)) is None:
                return None
            why = refused.reason

    def say(self, text: str) -> None:
        """A line in the corner, as plain text."""
        self.notify(visible(text), markup=False)

    def action_help(self) -> None:
        """List the keys."""
        self.push_screen(Help(self.link.head))

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

        self.push_screen(Dialog(asks.leave(self.scene), self.scene), answered)
