"""What can go wrong on the way to a target, told apart, and what one connection is shared for."""

from __future__ import annotations

import asyncio
import getpass
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncssh
import pytest

from cockpit.core.errors import RemoteError
from cockpit.core.plan import SshSettings, Target
from cockpit.remote import channel, login, session, ssh, warm, wrapper
from cockpit.remote.base import Ended
from cockpit.remote.ssh import SshRunner
from tests.remote import inprocess
from tests.remote.waiting import Running, alive, kill_quietly, pid_in, run, until
from tests.sshd import Sshd, free_port


@asynccontextmanager
async def runner_on(targets: list[Target], settings: SshSettings) -> AsyncIterator[SshRunner]:
    runner = SshRunner(targets, settings)
    try:
        yield runner
    finally:
        await runner.close()


async def probe(target: Target, settings: SshSettings) -> Ended:
    async with runner_on([target], settings) as runner:
        return await runner.probe(target.id)


def unreachable(ended: Ended, *words: str) -> None:
    assert (ended.kind, ended.exit_code) == ("unreachable", None), ended
    for word in words:
        assert word in ended.detail, ended.detail


# Nothing ran


async def test_connection_refused(sshd: Sshd) -> None:
    target = replace(sshd.target("web-1"), port=free_port())
    unreachable(await probe(target, sshd.settings()), f"127.0.0.1:{target.port} refuses connections")


async def test_name_unknown(sshd: Sshd) -> None:
    target = replace(sshd.target("web-1"), host="no-such-host.invalid")
    unreachable(await probe(target, sshd.settings()), "the name no-such-host.invalid is unknown")


async def test_no_answer(sshd: Sshd) -> None:
    """Something takes the connection and never says a word."""
    settings = sshd.settings(connect_timeout=timedelta(seconds=0.3))
    async with saying(b"") as port:
        ended = await probe(replace(sshd.target("web-1"), port=port), settings)
    unreachable(ended, "answers, but the login isn't through within 0.3 s")


async def test_what_answers_is_no_ssh_server(sshd: Sshd) -> None:
    async with saying(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 2000) as port:
        unreachable(await probe(replace(sshd.target("web-1"), port=port), sshd.settings()), str(port))


async def test_an_unknown_host_is_refused_with_the_line_to_compare(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "known_hosts").write_text("")
    settings = sshd.settings(known_hosts=str(tmp_path / "known_hosts"))
    ended = await probe(sshd.target("web-1"), settings)
    public = sshd.host_key.export_public_key("openssh").decode().split()[1]
    unreachable(
        ended, f"`[127.0.0.1]:{sshd.port} ssh-ed25519 {public}`", sshd.host_key.get_fingerprint(), "compare"
    )
    assert (tmp_path / "known_hosts").read_text() == ""


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
async def test_a_changed_host_key_is_refused_with_both_fingerprints(
    sshd: Sshd, tmp_path: Path, kind: str
) -> None:
    other = asyncssh.generate_private_key(kind)
    public = other.export_public_key("openssh").decode()
    (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{sshd.port} {public}")
    ended = await probe(sshd.target("web-1"), sshd.settings(known_hosts=str(tmp_path / "known_hosts")))
    unreachable(ended, "HOST KEY CHANGED", sshd.host_key.get_fingerprint(), other.get_fingerprint())


async def test_a_revoked_host_key_is_refused(sshd: Sshd, tmp_path: Path) -> None:
    known = sshd.known_hosts.read_text()
    public = sshd.host_key.export_public_key("openssh").decode()
    (tmp_path / "known_hosts").write_text(f"{known}@revoked * {public}")
    ended = await probe(sshd.target("web-1"), sshd.settings(known_hosts=str(tmp_path / "known_hosts")))
    unreachable(ended, "revoked")


async def test_login_refused(sshd: Sshd, tmp_path: Path) -> None:
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(tmp_path / "other_key")
    ended = await probe(sshd.target("web-1"), sshd.settings(identity=str(tmp_path / "other_key")))
    unreachable(ended, f"refuses the login of {getpass.getuser()}")


async def test_no_key_at_all(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    unreachable(await probe(sshd.target("web-1"), sshd.settings(identity=None)), "no key to log in with")


async def test_a_locked_account_ran_nothing(tmp_path: Path) -> None:
    async with inprocess.server(tmp_path, inprocess.nologin) as server:
        ended = await probe(server.target(), server.settings)
    unreachable(ended, "nothing ran", "ended with 1", "This account is currently not available.")


async def test_what_a_login_shell_prints_first_is_no_output(tmp_path: Path) -> None:
    async def chatty(process: inprocess.Process) -> None:
        process.stdout.write(b"Welcome!\n")
        await inprocess.honest(process)

    async with (
        inprocess.server(tmp_path, chatty) as server,
        runner_on([server.target()], server.settings) as runner,
    ):
        ended, output = await run(runner, "web-1", "echo mine")
        shells = {(await run(runner, "web-1", "ps -o ppid= -p $$"))[1] for _ in range(2)}
    assert (ended.exit_code, output) == (0, b"mine\n")
    assert len(shells) == 1


# It may have run


async def test_no_exit_status_is_lost(tmp_path: Path) -> None:
    async with inprocess.server(tmp_path, inprocess.no_exit_status) as server:
        ended = await probe(server.target(), server.settings)
    assert (ended.kind, ended.exit_code) == ("lost", None)
    assert "without saying how the command ended" in ended.detail


async def test_a_cut_connection_is_lost_and_the_next_use_connects_anew(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    async with (
        inprocess.server(tmp_path) as server,
        runner_on([server.target()], server.settings) as runner,
    ):
        running = Running(runner, "web-1", f"echo $$ >{pid_file}; echo up; sleep 30")
        await until(lambda: running.output, "the output")
        server.cut()
        ended = await running.ended()
        assert (ended.kind, ended.exit_code) == ("lost", None), ended
        assert "connection was lost while it ran" in ended.detail
        assert (await run(runner, "web-1", "echo again"))[1] == b"again\n"
        assert len(server.connections) == 2
    kill_quietly(pid_in(pid_file) or 0)


async def test_a_server_killed_in_a_step_is_lost_and_comes_back(sshd: Sshd, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    async with runner_on([sshd.target("web-1")], sshd.settings()) as runner:
        running = Running(runner, "web-1", f"echo $$ >{pid_file}; echo up; sleep 30")
        await until(lambda: running.output, "the output")
        sshd.kill()
        assert (await running.ended()).kind == "lost"
        unreachable(await runner.probe("web-1"), "refuses connections")
        sshd.start()
        assert (await runner.probe("web-1")).exit_code == 0
    kill_quietly(pid_in(pid_file) or 0)


async def test_a_frozen_peer_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "KEEPALIVE_S", 0.2)
    async with inprocess.server(tmp_path) as server, proxy(server.port) as (port, freeze):
        known = Path(server.settings.known_hosts)
        known.write_text(known.read_text().replace(str(server.port), str(port)))
        async with runner_on([replace(server.target(), port=port)], server.settings) as runner:
            running = Running(runner, "web-1", "echo up; sleep 90")
            await until(lambda: running.output, "the output")
            freeze()
            ended = await running.ended()
    assert ended.kind == "lost"
    assert "not responding" in ended.detail
    assert ended.seconds < 60


async def test_a_connection_found_dead_is_replaced_once_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "OPEN_S", 1.5)
    monkeypatch.setattr(warm, "READY_S", 1.5)
    monkeypatch.setattr(warm, "FRESH_S", 0.0)
    async with inprocess.server(tmp_path) as server, proxy(server.port) as (port, freeze):
        known = Path(server.settings.known_hosts)
        known.write_text(known.read_text().replace(str(server.port), str(port)))
        async with runner_on([replace(server.target(), port=port)], server.settings) as runner:
            assert (await runner.probe("web-1")).exit_code == 0
            freeze()
            ended, output = await run(runner, "web-1", f"echo x >>{tmp_path}/ledger; echo done")
            assert (ended.exit_code, output) == (0, b"done\n")
            assert len(server.connections) == 2
    assert (tmp_path / "ledger").read_text() == "x\n"


async def test_a_target_without_a_word_is_given_up_after_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "MARGIN_S", 0.2)
    monkeypatch.setattr(warm, "READY_S", 0.05)
    monkeypatch.setattr(wrapper, "GRACE_S", 0.1)
    async with (
        inprocess.server(tmp_path, inprocess.mute) as server,
        runner_on([server.target()], server.settings) as runner,
    ):
        ended, _ = await run(runner, "web-1", "true", timeout_s=0.1)
        assert ended.kind == "lost"
        stopped = Running(runner, "web-1", "true")
        await asyncio.wait({stopped.task}, timeout=0.3)
        stopped.stop.set()
        assert (await stopped.ended()).kind == "lost"


async def test_a_target_that_runs_no_commands_ran_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh, "BACKOFF_S", 0.01)
    asked = 0

    class NoExec(asyncssh.SSHServer):
        def session_requested(self) -> bool:
            nonlocal asked
            asked += 1
            return False

    async with inprocess.server(tmp_path, factory=NoExec) as server:
        unreachable(await probe(server.target(), server.settings), "opens no channel")
    assert asked == ssh.TRIES


# One connection


async def test_callers_at_once_share_one_login(sshd: Sshd) -> None:
    before = sshd.log().count("Accepted publickey")
    async with runner_on([sshd.target("web-1")], sshd.settings()) as runner:
        ends = await asyncio.gather(*(runner.probe("web-1") for _ in range(10)))
        assert {ended.exit_code for ended in ends} == {0}
    assert sshd.log().count("Accepted publickey") - before == 1


async def test_a_cancelled_caller_leaves_the_login_to_the_others(sshd: Sshd) -> None:
    async with runner_on([sshd.target("web-1")], sshd.settings()) as runner:
        first = asyncio.create_task(runner.probe("web-1"))
        second = asyncio.create_task(runner.probe("web-1"))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).exit_code == 0
        with pytest.raises(asyncio.CancelledError):
            await first


async def test_many_targets_log_in_at_once(sshd: Sshd) -> None:
    targets = [sshd.target(f"web-{n}", n) for n in range(1, 31)]
    async with runner_on(targets, sshd.settings()) as runner:
        ends = await asyncio.gather(*(runner.probe(target.id) for target in targets))
        assert {ended.exit_code for ended in ends} == {0}


async def test_a_jump_host_is_logged_in_to_once(sshd: Sshd) -> None:
    before = sshd.log().count("Accepted publickey")
    targets = [sshd.target(f"web-{n}", n) for n in range(2, 10)]
    async with runner_on(targets, sshd.settings(jump=f"127.0.0.1:{sshd.port}")) as runner:
        ends = await asyncio.gather(*(runner.probe(target.id) for target in targets))
        assert {ended.exit_code for ended in ends} == {0}, ends
    assert sshd.log().count("Accepted publickey") - before == 9


async def test_what_lies_behind_a_jump_host_is_told_apart(sshd: Sshd) -> None:
    closed = free_port()
    gone = replace(sshd.target("web-1"), port=closed)
    ended = await probe(gone, sshd.settings(jump=f"127.0.0.1:{sshd.port}"))
    unreachable(ended, f"the jump host can't reach 127.0.0.1:{closed}")
    ended = await probe(sshd.target("web-1"), sshd.settings(jump=f"127.0.0.1:{closed}"))
    unreachable(ended, "no way through the jump host", "refuses connections")


@pytest.mark.parametrize(("drops", "code"), [(2, 0), (3, None)])
async def test_a_server_that_hangs_up_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drops: int, code: int | None
) -> None:
    """As sshd does where more log in at once than its MaxStartups."""
    monkeypatch.setattr(ssh, "BACKOFF_S", 0.01)
    async with inprocess.server(tmp_path) as server, proxy(server.port, drops) as (port, _):
        known = Path(server.settings.known_hosts)
        known.write_text(known.read_text().replace(str(server.port), str(port)))
        ended = await probe(replace(server.target(), port=port), server.settings)
    assert ended.exit_code == code
    assert code == 0 or "hung up before the login was through" in ended.detail


async def test_sessions_stay_below_the_servers_limit(tmp_path: Path) -> None:
    server = Sshd(tmp_path, max_sessions=10)
    server.start()
    try:
        async with runner_on([server.target("web-1")], server.settings()) as runner:
            lines: list[bytes] = []
            loop = asyncio.create_task(
                runner.follow("web-1", "while :; do echo x; sleep 0.2; done", lines.append)
            )
            ends = await asyncio.gather(*(run(runner, "web-1", "sleep 0.1") for _ in range(20)))
            assert [ended for ended, _ in ends if ended.exit_code != 0] == []
            loop.cancel()
            await asyncio.wait({loop})
    finally:
        server.stop()


async def test_a_cancelled_run_is_let_go_and_keeps_its_timeout(sshd: Sshd, tmp_path: Path) -> None:
    path = tmp_path / "pid"
    async with runner_on([sshd.target("web-1")], sshd.settings()) as runner:
        running = Running(runner, "web-1", f"echo $$ >{path}; sleep 30", timeout_s=1)
        await until(lambda: pid_in(path), "the command")
        running.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running.task
        await until(lambda: not alive(pid_in(path) or 0), "the timeout on the target")


# Keys and files


async def test_the_agent_is_asked_where_there_is_no_identity(
    sshd: Sshd, agent: Callable[[Path], None]
) -> None:
    agent(sshd.identity)
    assert (await probe(sshd.target("web-1"), sshd.settings(identity=None))).exit_code == 0


async def test_an_identity_with_a_passphrase_is_left_to_the_agent(
    sshd: Sshd, tmp_path: Path, agent: Callable[[Path], None]
) -> None:
    agent(sshd.identity)
    key = asyncssh.read_private_key(sshd.identity)
    locked = tmp_path / "locked"
    lock(shutil.copy(sshd.identity, locked))
    with pytest.raises(RemoteError, match="has a passphrase"):
        SshRunner([sshd.target("web-1")], sshd.settings(identity=str(tmp_path / "locked")))
    key.write_public_key(tmp_path / "locked.pub")
    settings = sshd.settings(identity=str(tmp_path / "locked"))
    assert (await probe(sshd.target("web-1"), settings)).exit_code == 0


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("identity", None, "can't be read"),
        ("identity", "no key", "not a usable private key"),
        ("known_hosts", None, "can't be read"),
        ("known_hosts", "# fine\nonly-a-name\n", ":2: not a line of a known_hosts file"),
        ("known_hosts", "|1|not base64|x ssh-ed25519 AAAA\n", ":1: not a line"),
        ("known_hosts", "@trusted * ssh-ed25519 AAAA\n", ":1: not a line"),
    ],
)
def test_unusable_files_are_told_before_anything_starts(
    sshd: Sshd, tmp_path: Path, field: str, text: str | None, said: str
) -> None:
    path = tmp_path / "file"
    if text is not None:
        path.write_text(text)
    with pytest.raises(RemoteError, match=said) as caught:
        SshRunner([], sshd.settings(**{field: str(path)}))
    assert str(path) in str(caught.value)


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """A real ssh-agent; call it with a key to add."""
    socket = str(tmp_path / "agent")
    monkeypatch.setenv("SSH_AUTH_SOCK", socket)
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)

    def add(key: Path) -> None:
        deadline = time.monotonic() + 60
        while subprocess.run(["ssh-add", "-q", str(key)], capture_output=True).returncode != 0:
            assert time.monotonic() < deadline, "ssh-agent takes no key"
            time.sleep(0.02)

    yield add
    process.terminate()
    process.wait()


def lock(key: Path) -> None:
    """Give a private key a passphrase."""
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "not told", "-f", key], check=True, capture_output=True)


@asynccontextmanager
async def saying(greeting: bytes) -> AsyncIterator[int]:
    """A listener that greets whoever connects and then holds still; yields its port."""
    writers: list[asyncio.StreamWriter] = []

    def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(greeting)

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await close(server, writers)


async def close(server: asyncio.Server, writers: list[asyncio.StreamWriter]) -> None:
    server.close()
    for writer in writers:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)
    await server.wait_closed()


@asynccontextmanager
async def proxy(to: int, drops: int = 0) -> AsyncIterator[tuple[int, Callable[[], None]]]:
    """A TCP proxy that hangs up on its first `drops` callers; its switch freezes the connections of the moment."""
    frozen: set[asyncio.StreamWriter] = set()
    writers: list[asyncio.StreamWriter] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if writer not in frozen:
                writer.write(data)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal drops
        writers.append(writer)
        drops -= 1
        if drops >= 0:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to)
        writers.append(far_writer)
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], lambda: frozen.update(writers)
    finally:
        await close(server, writers)
