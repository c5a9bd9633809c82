"""Targets that can't be reached or trusted: nothing runs, nobody is asked."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import asyncssh
import pytest

from tests.faults.pty import Terminal
from tests.faults.release import Site
from tests.remote.waiting import until
from tests.sshd import free_port


def new_key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519")


async def test_each_trouble_is_named_and_nothing_runs(tmp_path: Path) -> None:
    """On a terminal, where a prompt to accept a key could be asked, and nobody answers one."""
    async with Site(tmp_path, 6) as site:
        plan = site.write_plan()
        ports = {target: proxy.port for target, proxy in site.proxies.items()}
        other, known_hosts = new_key(), tmp_path / "known_hosts"
        public = other.export_public_key("openssh").decode().strip()
        known = known_hosts.read_text()
        known = re.sub(rf"(:{ports['web-2']}) .*", rf"\1 {public}", known)
        known = re.sub(rf".*:{ports['web-3']} .*\n", "", known)
        known_hosts.write_text(known)
        new_key().write_public_key(site.servers["web-4"].path / "authorized_keys")
        text = plan.read_text().replace(f"port = {ports['web-5']}", f"port = {free_port()}")
        at = f'host = "127.0.0.1", port = {ports["web-6"]}'
        plan.write_text(text.replace(at, at.replace("127.0.0.1", "no-such-host.invalid")))
        words = ["-m", "tests.faults.cockpit", "run", str(plan), "--as", "dana", "--headless"]
        async with Terminal([sys.executable, *words], cols=200, env=site.env()) as terminal:
            assert await terminal.ends(40) == 5
        said = " ".join(terminal.data.decode().split())
        changed, unknown = (site.servers[target].host_key for target in ("web-2", "web-3"))
        for words in (
            "web-2: HOST KEY CHANGED",
            changed.get_fingerprint(),
            other.get_fingerprint(),
            unknown.get_fingerprint(),
            "web-4: 127.0.0.1:",
            "refuses the login",
            "refuses connections",
            "no-such-host.invalid is unknown",
        ):
            assert words in said, (words, said)
        assert not re.search(r"\[y/n\]|yes/no|fingerprint\]\?|accept\?", said, re.IGNORECASE)
        assert known_hosts.read_text() == known
        assert [site.ran(target) for target in site.targets] == [[]] * 6
        assert not any(site.servers[t].log().count("Starting session") for t in ("web-2", "web-3", "web-4"))


@pytest.mark.faults_slow
async def test_a_target_lost_after_the_start_is_unreachable_and_the_others_keep_what_they_have(
    tmp_path: Path,
) -> None:
    async with Site(tmp_path) as site:
        site.write_plan()
        site.hold("web-2")
        run = site.run()
        await until(lambda: site.ran("web-2"), "the step", 30)
        site.servers["web-3"].kill()
        site.proxies["web-3"].drop()
        site.let_go("web-2")
        await until(lambda: '"finish":"unreachable"' in run.out.read_text(), "the outcome", 30)
        assert site.versions() == ["2", "2", "1"]
        assert site.ran("web-3") == []
        run.process.terminate()
        assert await run.ended() == 130
        assert site.broken() == []
