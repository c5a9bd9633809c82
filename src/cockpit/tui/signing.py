"""Signing with a key that is elsewhere: what is signed there, how, and the field for what comes back."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.timer import Timer
from textual.widgets import TextArea

from cockpit.core import commands as cmd
from cockpit.core import signoff, statement
from cockpit.core.consent import takes_key
from cockpit.core.people import has_key
from cockpit.tui import dialogs
from cockpit.tui.lines import Block
from cockpit.tui.modal import Modal
from cockpit.tui.moments import wall
from cockpit.tui.pressing import Pressable
from cockpit.tui.scene import Scene
from cockpit.tui.text import Line, chop, line, rewrap, wrap

END = "-----END SSH SIGNATURE-----"
FIELD_ROWS = 4

KEYS = {"confirm": "⏎", "back": "esc", "copy": "ctrl+y"}
"""The keys of the dialog, as they are printed."""


def wants_key(scene: Scene, command: cmd.Command) -> bool:
    """Whether the command is still to be signed: its person has a key in the plan."""
    if isinstance(command, cmd.RollBack):  # what stops a release takes no key, but an agreement does
        return not (command.signature or command.override) and takes_key(scene.state, command.by)
    return (
        isinstance(command, cmd.SignedCommand) and not command.signature and has_key(scene.plan, command.by)
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """A command, the line to be signed for it, and why that wasn't done by itself, or didn't count."""

    command: cmd.SignedCommand
    challenge: str
    why: str


class BlockField(TextArea):
    """Takes the lines of a pasted block; ⏎ is handed on once the block is whole."""

    class Submitted(Message):
        """⏎ behind a whole block."""

    @property
    def whole(self) -> bool:
        """Whether the block's last line is there."""
        return END in self.text

    async def _on_key(self, event: events.Key) -> None:
        if event.key in ("escape", "tab", "shift+tab"):
            return
        if event.key == "enter" and self.whole:
            event.stop()
            event.prevent_default()
            self.post_message(self.Submitted())
            return
        await super()._on_key(event)


class SignDialog(Modal[cmd.SignedCommand | None]):
    """Shows what is to be signed; dismissed with the command and its block, or None where the person goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("ctrl+y", "copy", show=False, priority=True),
        Binding("pageup", "page(-1)", show=False, priority=True),
        Binding("pagedown", "page(1)", show=False, priority=True),
    ]

    def __init__(self, scene: Scene, wanted: Wanted) -> None:
        super().__init__()
        self.scene = scene
        self.wanted = wanted
        self.complaint = ""
        self.copied = False
        self.armed = False
        self._arming: Timer | None = None

    @property
    def there(self) -> str:
        """What is run where the key is."""
        return f"cockpit sign --challenge {shlex.quote(self.wanted.challenge)}"

    def compose(self) -> ComposeResult:
        """Title, what to do, the field, the keys."""
        with Vertical(id="dialog"):
            yield Block(id="title")
            with VerticalScroll(id="facts", can_focus=False):
                yield Pressable(lambda: KEYS, id="fact-lines")
            yield BlockField(id="block")
            yield Pressable(lambda: KEYS, id="foot")

    def on_mount(self) -> None:
        """Ready for the block."""
        self._arm_later()
        self._draw()
        self.query_one(BlockField).focus()

    def on_resize(self) -> None:
        """Wrap anew."""
        self._draw()

    def _arm_later(self) -> None:
        self.armed = False
        if self._arming is not None:
            self._arming.stop()
        self._arming = self.set_timer(dialogs.ARM_AFTER, self._arm)

    def _arm(self) -> None:
        self.armed = True
        self._draw()

    def _draw(self) -> None:
        if not self.is_current:
            return
        width = self.widen()
        who = self.scene.called(self.wanted.command.by)
        title = [line((part, "strong")) for part in wrap(f"Signed with {who}'s key", width)]
        foot = [part for said in self._foot() for part in rewrap(said, width)]
        self._show("#title", title)
        self._show("#fact-lines", self._facts(width))
        self._show("#foot", foot)
        self._make_room(len(title) + len(foot))

    def _make_room(self, told: int) -> None:
        """The facts scroll in what the rest leaves; in a low terminal without gaps, and with a smaller field."""
        low = self.size.height < dialogs.LOW
        rows = 2 if low else FIELD_ROWS
        self.query_one("#block").styles.height = rows
        self.query_one("#facts").styles.margin = (0, 0) if low else (1, 0)
        self.query_one("#foot").styles.margin = (0, 0) if low else (1, 0, 0, 0)
        fixed = 2 + told + rows + (0 if low else 3)
        self.query_one("#facts").styles.max_height = max(1, self.size.height - fixed)

    def _show(self, selector: str, lines: list[Line]) -> None:
        block = self.query_one(selector, Block)
        block.styles.height = len(lines)
        block.show(lines)

    def _facts(self, width: int) -> list[Line]:
        """Why it wasn't signed by itself, what is signed, and where it is printed to be copied."""
        said = statement.read(self.wanted.challenge)
        me = self.wanted.command.by == self.scene.link.me
        whose = "your" if me else f"{self.scene.called(self.wanted.command.by)}'s"
        facts = [
            *([line((self.wanted.why, "warn"))] if self.wanted.why else []),
            line((f"{said.decision} ", "dim"), (said.about, "strong"), f": {said.text}"),
            line(),
            line(
                f"On {whose} own machine, until ", (wall(self.scene, said.until), "strong"), ", this is run:"
            ),
        ]
        lines = [part for fact in facts for part in rewrap(fact, width)]
        lines += [line((part, "now")) for part in chop(self.there, width)]
        shell = f"{_shell(self.wanted.command)} --ask --as {said.person}"
        how = line(
            ("ctrl+y", "key"), (" copies it; ", "dim"), f"`{shell}`", (" prints it in a shell here", "dim")
        )
        return [*lines, *rewrap(how, width)]

    def _foot(self) -> list[Line]:
        field = self.query_one(BlockField)
        said = line(("paste here what that prints, from `cockpit-signoff` to `END SSH SIGNATURE`", "dim"))
        if self.complaint:
            said = line((self.complaint, "alarm"))
        elif field.whole:
            said = line(("the block is whole", "good"))
        elif self.copied:
            said = line(("copied, where this terminal allows it", "dim"))
        ready = self.armed and field.whole
        keys = line(("⏎", "key" if ready else "dim"), (" hand it in", "text" if ready else "dim"))
        return [said, keys + line("    ", ("esc", "key"), (" go back", "dim"))]

    # Acting

    def on_text_area_changed(self) -> None:
        """Text came: its own ⏎ confirms nothing."""
        self.complaint, self.copied = "", False
        self._arm_later()
        self._draw()

    def on_block_field_submitted(self) -> None:
        """⏎ behind a whole block: is it what was asked for?"""
        if not self.armed:
            self._arm_later()
            return
        try:
            text = self.query_one(BlockField).text
            said, armoured = statement.parts(text)
            command = replace(self.wanted.command, at=self.scene.link.now())
            against = signoff.refusal(self.scene.link.state, command, statement.read(said), said)
        except ValueError as fault:
            against = str(fault)
            said = armoured = ""
        if against:
            self.complaint = f"not handed in: {against}"
            self._draw()
            return
        self.dismiss(replace(self.wanted.command, signature=statement.block(said, armoured)))

    def on_pressable_pressed(self, event: Pressable.Pressed) -> None:
        """A printed key was clicked."""
        event.stop()
        self.run_worker(self.run_action(event.action))

    def action_confirm(self) -> None:
        """⏎, clicked: it is printed as a key only once it would be taken."""
        self.on_block_field_submitted()

    def action_back(self) -> None:
        """esc: nothing was decided."""
        self.dismiss(None)

    def action_copy(self) -> None:
        """What is run elsewhere, into the terminal's clipboard."""
        self.app.copy_to_clipboard(self.there)
        self.copied = True
        self._draw()

    def action_page(self, by: int) -> None:
        """Scroll what is said."""
        facts = self.query_one("#facts", VerticalScroll)
        facts.scroll_relative(y=by * max(1, facts.size.height - 1), animate=False)


def _shell(command: cmd.SignedCommand) -> str:
    """How `cockpit sign` calls what the command decides."""
    match command:
        case cmd.SignItem():
            return f"cockpit sign {shlex.quote(command.item)}"
        case cmd.Promote():
            return f"cockpit sign {shlex.quote(f'gate:{command.stage}')}"
        case cmd.AcceptRole():
            return f"cockpit sign {shlex.quote(f'role:{command.role}')}"
        case cmd.RollBack():
            return f"cockpit sign {shlex.quote(f'rollback:{command.service}')}"
        case _:
            return "cockpit sign"
