"""Fabric: a ThreadingGroup for each batch, its host keys checked: `fabric_group.py WORK.json`."""

import json
import sys
from pathlib import Path

from fabric import Config, Connection, ThreadingGroup
from fabric.runners import Remote
from paramiko import RejectPolicy

# Its default of 1,000 bytes takes eight times as long over 10 MB of output.
Remote.read_chunk_size = 65536


def connected(work, target):
    """A connection as Fabric makes them, but for its default of trusting any host key."""
    conn = Connection(
        target["host"],
        user=work["user"],
        port=target["port"],
        config=Config(overrides={"load_ssh_configs": False}),
        connect_kwargs={"key_filename": work["identity"], "allow_agent": False, "look_for_keys": False},
    )
    conn.client.set_missing_host_key_policy(RejectPolicy())
    conn.client.load_host_keys(work["known_hosts"])
    return conn


def main(work):
    """Batch by batch, step by step."""
    for batch in work["batches"]:
        targets = [work["targets"][i] for i in batch]
        group = ThreadingGroup.from_connections([connected(work, target) for target in targets])
        for line in work["steps"]:
            results = group.run(line, hide=True, in_stream=False)
            if work["out"]:
                of = {target["host"]: target["id"] for target in targets}
                for conn, result in results.items():
                    Path(work["out"], of[conn.host]).write_text(result.stdout)
        group.close()


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
