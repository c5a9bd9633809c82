"""Files with secrets that other users of the machine get at are worth a look, wherever the plan names them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from cockpit.core.plan import Notify, SshSettings
from cockpit.runtime.check import exposed, look
from tests.core.plans import ERRORS, SWITCH, plan
from tests.runtime.engines import ALL


async def test_a_check_names_each_file_once(tmp_path: Path) -> None:
    hook, token, own = (tmp_path / name for name in ("hook", "token", "own"))
    for file, mode in ((hook, 0o644), (token, 0o640), (own, 0o600)):
        file.write_text("https://hooks.example/T1\n")
        file.chmod(mode)
    signal = replace(ERRORS, source="http", options={"url": "http://127.0.0.1:9", "token": f"file:{token}"})
    checked = plan(
        stages=ALL,
        steps=(replace(SWITCH, run="switch {key}"),),
        signals=(signal, replace(signal, name="more")),
        notify=(Notify(("abort",), url=f"file:{hook}"), Notify(("pause",), run="true")),
        secrets={"key": f"file:{token}", "other": f"file:{own}", "more": "env:HOME"},
    )
    assert [why.partition(" ")[0] for why in exposed(checked)] == [str(token), str(hook)]
    (tmp_path / "known_hosts").touch()
    alone = replace(
        checked,
        targets=(),
        stages=(),
        steps=(),
        signals=(),
        secrets={},
        ssh=SshSettings(known_hosts=str(tmp_path / "known_hosts")),
    )
    looked = await asyncio.wait_for(look(alone, "plan.toml"), 20)
    (found,) = (f for f in looked.findings if "open to other users" in f.text)
    assert (found.ok, found.doubtful, str(hook) in found.text) == (True, True, True)
