"""A release in arbitrary hands: every move that people, targets and limits have, for searches and for plays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Literal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cockpit.core import claims
from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.evolve import replay
from cockpit.core.plan import Gate, Plan, RollbackTerms, Stage
from cockpit.core.state import State, breached, initial
from cockpit.core.view import next_move, status
from cockpit.core.wanted import wanted
from tests.core.moves import says_whose_move
from tests.core.oracle import check
from tests.core.plans import APP, ERRORS, FLAG, MIGRATE, SWITCH, Session, item, limit, plan, render, web
from tests.core.whole_fleet import looked_at, seen

people = st.sampled_from(["dana", "lee", "sam"])
targets = st.sampled_from(["web-1", "web-2", "web-3", "web-4"])


GATES = (
    None,
    Gate(("rollback_owner",), timeout=timedelta(seconds=90)),
    Gate(("decision_owner", "rollback_owner", "sam"), needs=2),
    Gate(("decision_owner", "rollback_owner"), needs=2, distinct=True),
)


def the_plan(
    count: int = 3,
    steps: tuple[str, ...] = ("migrate", "switch"),
    bake: int = 0,
    gate: Gate | None = None,
    max_parallel: int | None = None,
    max_failed: int = 0,
    action: str = "pause",
    web_steps: tuple[str, ...] = ("switch", "flag"),
    approval: tuple[str, ...] = (),
) -> Plan:
    """A plan with a point of no return, waves, a gate, a flag, a limit and a checklist."""
    bake_time = timedelta(seconds=bake)
    return plan(
        targets=web(count),
        steps=(SWITCH, MIGRATE, FLAG, APP),
        stages=(
            Stage("canary", steps, ("web-1",), bake_time=bake_time),
            Stage(
                "web",
                web_steps,
                ("web",),
                waves=(1, "50%"),
                max_parallel=max_parallel,
                max_failed=max_failed,
                bake_time=bake_time,
                gate=gate,
            ),
        ),
        signals=(replace(ERRORS, targets=tuple(t.id for t in web(count))),),
        thresholds=(limit(action),),
        checklist=(item("brief", "stage:web", "sam"), item("report", "close", "sam")),
        rollback=RollbackTerms(approval=approval),
    )


PLANS = st.builds(
    the_plan,
    st.integers(2, 4),
    st.sampled_from([("migrate", "switch"), ("switch",)]),
    st.sampled_from([0, 30]),
    st.sampled_from(GATES),
    st.sampled_from([None, 1, 2]),
    st.integers(0, 1),
    st.sampled_from(["pause", "rollback", "notify"]),
    st.sampled_from([("switch", "flag"), ("switch", "app", "flag"), ("app", "switch"), ("app",)]),
    st.sampled_from([(), (), ("metrics_watcher",), ("decision_owner", "lee")]),
)


class ReleaseMachine(RuleBasedStateMachine):
    """Draws each move from the live state. A play makes them one by one, and asks whether `the_rules_hold`."""

    session: Session | None = None
    folded: State | None = None
    seen: int = 0

    @property
    def s(self) -> Session:
        assert self.session is not None
        return self.session

    @precondition(lambda self: self.session is None)
    @rule(plan=PLANS, auto=st.booleans(), attended=st.booleans())
    def open(self, plan: Plan, auto: bool, attended: bool) -> None:
        self.session = Session(plan, auto)
        if attended:
            self.s.come("dana")
        self.s.verdict("pass", 0.0)
        self.s.start()

    @precondition(lambda self: self.session is not None)
    @rule(seconds=st.sampled_from([0, 1, 31, 100, 400, -50]))
    def time_passes(self, seconds: int) -> None:
        self.s.tick(seconds)

    @precondition(lambda self: self.session is not None and bool(self.s.state.running()))
    @rule(
        data=st.data(),
        finish=st.sampled_from(
            ["succeeded", "succeeded", "succeeded", "failed", "unreachable", "in_doubt", "skipped"]
        ),
        proven=st.booleans(),
    )
    def a_step_ends(self, data: st.DataObject, finish: ev.Finish, proven: bool) -> None:
        target = data.draw(st.sampled_from(self.s.running()))
        self.s.finish(target, as_=finish, proven=proven)

    @precondition(lambda self: self.session is not None and bool(self.s.state.running()))
    @rule()
    def all_steps_succeed(self) -> None:
        self.s.finish()

    @precondition(lambda self: self.session is not None)
    @rule(
        stretches=st.integers(1, 4),
        agreed=st.booleans(),
        but=st.sampled_from(["", "nobody is here", "somebody can't explain it", "a signal falls silent"]),
    )
    def all_goes_well_for_a_while(self, stretches: int, agreed: bool, but: str) -> None:
        if but == "nobody is here":
            self.all_go()
        elif but == "somebody can't explain it":
            self.s.ask(cmd.ReportUnexplained(self.s.at, "sam"))
        for stretch in range(stretches):
            silent = but == "a signal falls silent" and stretch == stretches - 1
            self.s.verdict("inconclusive" if silent else "pass", 0.0)
            for attempt in self.s.state.unsettled():
                told = (True, 0, 0, 2.0, "", 0, "", "record")
                self.s.ask(cmd.ReportStep(self.s.at, attempt.id, "succeeded", *told))
            if agreed:
                self.everybody_says_go_on()
            self.s.finish()
            self.s.tick(31)

    def everybody_says_go_on(self) -> None:
        self.s.ask(cmd.SignItem(self.s.at, "sam", item="brief"))
        for by in ("dana", "lee"):
            self.s.ask(cmd.ResumeRollout(self.s.at, by, reason="we looked", accepting=breached(self.s.state)))
            self.s.ask(cmd.Promote(self.s.at, by))
        self.s.tick()

    @precondition(lambda self: self.session is not None)
    @rule(
        verdict=st.sampled_from(["pass", "pass", "breach", "breach", "inconclusive", "error"]),
        pending=st.booleans(),
        value=st.sampled_from([3.0, 5.0]),
        host=st.sampled_from(["web-1", "web-2"]),
    )
    def a_verdict_changes(self, verdict: ev.Verdict, pending: bool, value: float, host: str) -> None:
        since = self.s.at if pending or verdict == "breach" else None
        self.s.verdict(verdict, value, breaching_since=since, target=host)

    @precondition(lambda self: self.session is not None)
    @rule(host=st.sampled_from(["web-1", "web-2"]), then=st.sampled_from([3.0, 5.0]))
    def a_breach_is_accepted_and_goes_on(self, host: str, then: float) -> None:
        self.s.verdict("breach", 3.0, breaching_since=self.s.at, target=host)
        self.everybody_says_go_on()
        self.s.verdict("breach", then, breaching_since=self.s.at, target=host)
        self.s.tick()

    @precondition(lambda self: self.session is not None)
    @rule(
        kind=st.sampled_from([cmd.Promote, cmd.PauseRollout, cmd.PauseRollout, cmd.ResumeRollout]),
        by=people,
        reason=st.sampled_from(["", "we looked"]),
    )
    def somebody_steers(self, kind: type[cmd.HumanCommand], by: str, reason: str) -> None:
        command = kind(self.s.at, by, reason=reason)
        if isinstance(command, cmd.ResumeRollout):
            command = replace(command, accepting=breached(self.s.state))
        self.s.ask(command)
        self.s.tick()

    @precondition(lambda self: self.session is not None)
    @rule(
        kind=st.sampled_from([cmd.ReportUnexplained, cmd.Explain, cmd.DeclineProposal]),
        by=people,
        reason=st.sampled_from(["", "the cache was cold"]),
    )
    def somebody_cannot_explain_or_can(self, kind: type[cmd.HumanCommand], by: str, reason: str) -> None:
        self.s.ask(kind(self.s.at, by, reason=reason))
        self.s.tick()

    @precondition(lambda self: self.session is not None)
    @rule(by=people, most=st.sampled_from([1.0, 4.0]), reason=st.sampled_from(["", "agreed on the call"]))
    def a_limit_is_moved(self, by: str, most: float, reason: str) -> None:
        self.s.ask(cmd.ChangeLimit(self.s.at, by, reason=reason, threshold="errors > 2", limit=most))
        self.s.tick()

    @precondition(lambda self: self.session is not None)
    @rule(kind=st.sampled_from([cmd.Abort, cmd.RollBack, cmd.CloseSession]), by=people)
    def somebody_stops(self, kind: type[cmd.HumanCommand], by: str) -> None:
        self.s.ask(kind(self.s.at, by))
        self.s.tick()

    @precondition(lambda self: self.session is not None)
    @rule(by=people, override=st.sampled_from(["", "", "they sleep"]))
    def somebody_asks_to_roll_back_or_agrees(self, by: str, override: str) -> None:
        self.s.ask(cmd.RollBack(self.s.at, by, reason="orders fall", override=override))
        self.s.tick()

    @precondition(lambda self: self.session is not None)
    @rule(by=people, host=targets, again=st.booleans())
    def somebody_mends(self, by: str, host: str, again: bool) -> None:
        kind = cmd.RetryTarget if again else cmd.ExcludeTarget
        self.s.ask(kind(self.s.at, by, reason="disk replaced", target=host))
        self.s.tick()

    @precondition(lambda self: self.session is not None and bool(self.s.state.unsettled()))
    @rule(
        data=st.data(),
        finish=st.sampled_from(["succeeded", "failed", "unreachable", "in_doubt", "skipped"]),
        settled=st.sampled_from(["record", "verify"]),
    )
    def a_doubt_is_settled(self, data: st.DataObject, finish: ev.Finish, settled: ev.Settled) -> None:
        attempt = data.draw(st.sampled_from(self.s.state.unsettled()))
        proven = finish == "succeeded" and attempt.verify is not None
        if not proven:
            settled = "record"  # a verify says that a step is in place, and nothing else
        code = 0 if finish == "succeeded" and settled == "record" else None
        self.s.ask(
            cmd.ReportStep(
                self.s.at, attempt.id, finish, proven, code, 0 if proven else None, 2.0, "", settled=settled
            )
        )
        self.s.tick()

    @precondition(lambda self: self.session is not None and bool(self.s.state.unsettled()))
    @rule(data=st.data())
    def a_target_is_seen_again(self, data: st.DataObject) -> None:
        attempt = data.draw(st.sampled_from(self.s.state.unsettled()))
        self.s.ask(cmd.ReportFound(self.s.at, attempt.id))
        self.s.tick()

    @precondition(lambda self: self.session is not None)
    @rule(data=st.data(), by=people, finish=st.sampled_from(["succeeded", "failed"]))
    def somebody_knows(self, data: st.DataObject, by: str, finish: Literal["succeeded", "failed"]) -> None:
        every = [a.id for many in self.s.state.attempts.values() for a in many] or ["nothing"]
        attempt = data.draw(st.sampled_from(every))
        self.s.ask(cmd.ResolveDoubt(self.s.at, by, reason="looked there", attempt=attempt, finish=finish))
        self.s.tick()

    @precondition(lambda self: self.session is not None)
    @rule()
    def the_machine_sleeps(self) -> None:
        self.s.ask(cmd.ReportSleep(self.s.at, timedelta(hours=1)))
        self.s.tick()

    @precondition(lambda self: self.session is not None)
    @rule(by=people, which=st.sampled_from(["brief", "report"]))
    def somebody_signs(self, by: str, which: str) -> None:
        self.s.ask(cmd.SignItem(self.s.at, by, item=which))
        self.s.tick()

    @precondition(lambda self: self.session is not None)
    @rule(data=st.data(), move=st.sampled_from(["come", "come", "go", "all go", "all go"]))
    def people_come_and_go(self, data: st.DataObject, move: str) -> None:
        there = sorted(self.s.state.screens)
        if move == "come":
            # Once it is over people come for its review alone.
            kinds: tuple[ev.Seat, ...] = ("screen", "headless", "watch")[
                : 3 if self.s.state.closed is None else 1
            ]
            kind = data.draw(st.sampled_from(kinds))
            self.s.come(data.draw(people), kind, may_act=kind != "watch")
        elif move == "all go":
            self.all_go()
        elif there:
            self.s.go(data.draw(st.sampled_from(there)))
        self.s.tick()

    def all_go(self) -> None:
        self.s.go(*self.s.state.screens)

    @precondition(lambda self: self.session is not None)
    @rule(by=people, role=st.sampled_from(["decision_owner", "rollback_owner", "metrics_watcher"]))
    def somebody_takes_a_role(self, by: str, role: str) -> None:
        holder = self.s.state.plan.roles.holder(role)
        was_here = holder is not None and self.s.state.here(holder)
        taken = self.s.ask(cmd.TakeRole(self.s.at, by, reason="they don't answer", role=role))
        assert isinstance(taken, cmd.Refused) or not was_here
        self.s.tick()

    @precondition(lambda self: self.session is not None)
    @rule(by=people, to=people, role=st.sampled_from(["decision_owner", "rollback_owner"]), yes=st.booleans())
    def a_role_is_handed_over(self, by: str, to: str, role: str, yes: bool) -> None:
        self.s.ask(cmd.OfferRole(self.s.at, by, role=role, to=to))
        self.s.ask(cmd.AcceptRole(self.s.at, to, role=role) if yes else cmd.DeclineRole(self.s.at, to))
        self.s.tick()

    @precondition(lambda self: self.session is not None)
    @rule(by=people)
    def somebody_says_no_at_the_gate(self, by: str) -> None:
        self.s.ask(cmd.RejectStage(self.s.at, by, reason="not yet"))
        self.s.tick()

    @precondition(lambda self: self.session is not None)
    @rule()
    def the_process_dies_and_is_taken_up_again(self) -> None:
        self.s.state = replay(self.s.log, initial(self.s.plan, render))
        self.s.ask(cmd.ResumeSession(self.s.at, "dana", "dana", "laptop", "1"))
        self.s.tick()

    @precondition(lambda self: self.session is not None)
    @rule(data=st.data())
    def a_crash_at_any_moment_loses_nothing_that_was_shown(self, data: st.DataObject) -> None:
        cut = data.draw(st.integers(0, len(self.s.log)))
        prefix = replay(self.s.log[:cut], initial(self.s.plan, render))
        assert replay(self.s.log[cut:], prefix) == self.s.state

    @invariant()
    def the_rules_hold(self) -> None:
        if self.session is None:
            return
        check(self.s.log, self.s.plan)
        self.folded = replay(self.s.log[self.seen :], self.folded or initial(self.s.plan, render))
        self.seen = len(self.s.log)
        assert self.folded == self.s.state
        state = self.s.state
        assert looked_at(state, self.s.at) == seen(state, self.s.at)
        assert state.alone is None or state.unattended
        assert set(wanted(state)) <= {a.id for a in (*state.running(), *state.unsettled())}
        for me in ("", "dana"):
            said = next_move(self.s.state, self.s.at, me=me)
            assert says_whose_move(said.says, state), said.says
            assert not (me and me in said.who) or "you" in said.says or "roll back" in said.says, said.says
        assert status(self.s.state, self.s.at)

    def teardown(self) -> None:
        """Whatever happened, the log bears out what it claims."""
        if self.session is not None:
            assert claims.check(self.s.log, self.s.plan) == ()
