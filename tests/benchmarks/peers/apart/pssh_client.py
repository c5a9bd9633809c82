"""parallel-ssh: its ParallelSSHClient on libssh2, one for each batch: `pssh_client.py WORK.json`."""

import json
import sys
from pathlib import Path

from gevent import joinall, spawn
from pssh.clients import ParallelSSHClient


def store(path, output):
    """Write what a target prints to a file, all targets at once."""
    with path.open("w") as file:
        file.writelines(f"{text}\n" for text in output.stdout)


def main(work):
    """Batch by batch, step by step. The library has no way to check host keys; it checks none."""
    for batch in work["batches"]:
        targets = [work["targets"][i] for i in batch]
        client = ParallelSSHClient(
            [target["host"] for target in targets],
            user=work["user"],
            port=targets[0]["port"],
            pkey=work["identity"],
            pool_size=max(50, len(targets)),
            allow_agent=False,
            identity_auth=False,
        )
        for line in work["steps"]:
            output = client.run_command(line)
            if work["out"]:
                pairs = zip(targets, output, strict=True)
                joinall([spawn(store, Path(work["out"], target["id"]), of) for target, of in pairs])
            client.join(output)
            assert all(of.exit_code == 0 for of in output), [of.exit_code for of in output]


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
