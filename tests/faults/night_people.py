"""The people of the night: they come, go, do what the release needs, or what comes to their mind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

from cockpit.core import checklist, roles, rollout
from cockpit.core import commands as cmd
from cockpit.core.commands import HumanCommand, Refused
from cockpit.core.errors import UsageError
from cockpit.core.plan import HERE
from cockpit.core.readiness import blocking
from cockpit.core.state import State, breached, unclean
from cockpit.runtime.engine import Engine
from cockpit.runtime.mirror import Mirror, attach
from cockpit.runtime.wire import Hello
from tests.faults.night_checks import Act
from tests.faults.night_fleet import Fleet

PEOPLE = ("dana", "lee", "sam", "kim")
READ_AGAIN = timedelta(minutes=20)
"""How old a reading may be that a person entered, before they enter the next."""

LOOK_S = 15.0
"""How often somebody looks whether the release needs them."""

SILENT = (cmd.AcceptRole, cmd.TakeRole, cmd.DeclineRole, cmd.AnswerEscalation, cmd.StartRelease)
"""Acts whose records keep no words, or not for sure."""


@dataclass
class People:
    """Who sits at which screen. `engine` gives the session that runs now; `name` is where to attach."""

    engine: Callable[[], Engine | None]
    name: str
    fleet: Fleet
    seed: int
    wild: float
    seats: dict[str, Mirror] = field(default_factory=dict[str, Mirror])
    asking: set[Mirror] = field(default_factory=set[Mirror])
    acts: list[Act] = field(default_factory=list[Act])
    done: int = 0
    refusals: int = 0
    calm: bool = False

    def __post_init__(self) -> None:
        self.chance = Random(f"{self.seed} people")

    async def work(self) -> None:
        """Look again and again, all night."""
        while True:
            await asyncio.sleep(LOOK_S)
            engine = self.engine()
            if engine is None or engine.ended or engine.state.opened is None:
                continue
            await self._come_and_go()
            for by, command in self._needed(engine):
                if self.chance.random() < 0.7:
                    await self.ask(by, command)
            if self.chance.random() < self.wild and (wild := self._wild(engine.state)) is not None:
                await self.ask(*wild)

    # Screens

    async def _come_and_go(self) -> None:
        for person, mirror in [*self.seats.items()]:
            if mirror.ended:
                mirror.hang_up()
                del self.seats[person]
            elif self.chance.random() < (0.004 if person == "dana" else 0.05):
                del self.seats[person]
                await self._goes(mirror)
        for person, often in (("dana", 0.5), ("lee", 0.03), ("sam", 0.03), ("kim", 0.01)):
            if person not in self.seats and self.chance.random() < often:
                try:
                    kind = "watch" if person == "kim" else "screen"
                    self.seats[person] = await attach(self.name, Hello(kind, said=person))
                except (UsageError, OSError):
                    continue

    async def _goes(self, mirror: Mirror) -> None:
        if self.chance.random() < 0.5:
            await mirror.leave()
        else:
            mirror.hang_up()  # as if its process was killed

    def cut(self) -> None:
        """Every screen is gone at once."""
        for mirror in (*self.seats.values(), *self.asking):
            mirror.hang_up()
        self.seats.clear()

    async def ask(self, by: str, command: HumanCommand) -> None:
        """Ask at one's own screen, or from a shell; what came of it is remembered."""
        mark = f"act-{self.done}"
        self.done += 1
        asking = replace(command, by=by, reason=f"{mark}: we looked")
        mirror = self.seats.get(by)
        only = mirror is None or mirror.seat.kind == "watch"
        if only:
            try:
                mirror = await attach(self.name, Hello("act", said=by))
            except (UsageError, OSError):
                return
        assert mirror is not None
        self.asking.add(mirror)
        refused = await mirror.send(asking)
        self.asking.discard(mirror)
        unknown = isinstance(refused, Refused) and mirror.ended
        if not isinstance(command, SILENT):
            self.acts.append(Act(mark, type(command).__name__, None if unknown else refused is not None))
        self.refusals += refused is not None
        if only:
            await mirror.leave()

    # What the release needs

    def _needed(self, engine: Engine) -> Iterator[tuple[str, HumanCommand]]:
        state, at = engine.state, engine.now()
        if state.closed is not None or state.left is not None:
            return
        for person in PEOPLE:
            if roles.waiting(state, person):
                yield person, cmd.AcceptRole(at, person)
        if open_ := roles.left_open(state):
            yield self.chance.choice(PEOPLE[:2]), cmd.TakeRole(at, "", role=open_[0][0])
        for item in state.plan.checklist:
            if (by := checklist.missing(state, item)) and (
                item.before == "start" or self.chance.random() < 0.05
            ):
                yield by[0], cmd.SignItem(at, "", item=item.id)
        watcher = state.plan.roles.metrics_watcher or "sam"
        entered = engine.series("tickets", HERE)
        if not entered or not at - READ_AGAIN < entered[-1].at <= at:
            yield (
                watcher,
                cmd.EnterReading(at, watcher, signal="tickets", value=self.chance.choice((3.0, 25.0))),
            )
        if state.started is None:
            over = not unclean(state) and self.chance.random() < 0.1
            seen = tuple(f.key for f in blocking(state, at)) if over else ()
            yield state.plan.roles.decision_owner, cmd.StartRelease(at, "", overriding=seen)
            return
        for call in state.escalations.values():
            yield watcher, cmd.AnswerEscalation(at, watcher, threshold=call.threshold)
        if state.proposed is not None:
            yield "dana", cmd.DeclineProposal(at, "dana")
        elif state.unexplained is not None:
            yield "sam", cmd.Explain(at, "sam")
        yield from self._in_trouble(state)
        if (
            state.rollback_result is not None
            and state.rollback_result.unproven
            and self.chance.random() < 0.1
        ):
            yield "lee", cmd.CloseSession(at, "lee")
        if state.paused is not None and self.chance.random() < 0.5:
            yield state.plan.roles.decision_owner, cmd.ResumeRollout(at, "", accepting=breached(state))
        if state.phase == "waiting" and state.rollback is None:
            for by in dict.fromkeys((state.plan.roles.decision_owner, state.plan.roles.rollback_owner)):
                yield by, cmd.Promote(at, by)

    def _in_trouble(self, state: State) -> Iterator[tuple[str, HumanCommand]]:
        at = self.fleet.clock.now()
        owner = state.plan.roles.decision_owner
        if state.rollback is not None:
            result = state.rollback_result
            for line in result.unproven[:4] if result is not None else ():
                yield "lee", cmd.RetryTarget(at, "lee", target=line.split(":")[0])
            return
        for target, progress in rollout.troubled(state):
            attempt = progress.attempt
            if attempt is None or attempt.unsettled:
                continue
            if attempt.status == "in_doubt":
                machine = self.fleet.machines[target]
                came = machine.version == "2" and not any(a == attempt.id for _, a in machine.running)
                finish = "succeeded" if came else "failed"
                yield owner, cmd.ResolveDoubt(at, owner, attempt=attempt.id, finish=finish)
            elif self.chance.random() < 0.03:
                yield owner, cmd.ExcludeTarget(at, owner, target=target)
            else:
                yield owner, cmd.RetryTarget(at, owner, target=target, attempt=attempt.id)

    def _wild(self, state: State) -> tuple[str, HumanCommand] | None:
        """What comes to somebody's mind."""
        at, chance = self.fleet.clock.now(), self.chance
        by = chance.choice(PEOPLE)
        if chance.random() < 0.01:
            return by, chance.choice((cmd.RollBack, cmd.RollBack, cmd.Abort))(at, by)
        role, to = chance.choice(("decision_owner", "rollback_owner")), chance.choice(PEOPLE)
        limit = chance.choice(state.plan.thresholds)
        return by, chance.choice(
            (
                cmd.PauseRollout(at, by),
                cmd.ReportUnexplained(at, by),
                cmd.OfferRole(at, by, role=role, to=to),
                cmd.AcceptRole(at, by, role=role),
                cmd.DeclineRole(at, by, role=role),
                cmd.AddNote(at, by),
                cmd.RejectStage(at, by),
                cmd.Promote(at, by),
                cmd.ResumeRollout(at, by),
                cmd.RetryTarget(at, by, target=chance.choice(self.fleet.targets).id),
                cmd.ChangeLimit(at, by, threshold=limit.id, op=limit.op, limit=limit.limit),
                cmd.EnterReading(at, by, signal="orders", value=1.0),
            )
        )
