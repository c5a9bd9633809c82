"""pyinfra: a deploy with one shell operation for each step; WORK, in its environment, describes the work."""

import json
import os
from pathlib import Path

from pyinfra import host
from pyinfra.operations import python, server

work = json.loads(Path(os.environ["WORK"]).read_text())


def store(done):
    """Write what a target printed to the client's disk."""
    Path(work["out"], host.name).write_text("\n".join(done.stdout_lines) + "\n")


for n, line in enumerate(work["steps"]):
    done = server.shell(name=f"step {n}", commands=[line])
    if work["out"]:
        python.call(name=f"store {n}", function=store, done=done)
