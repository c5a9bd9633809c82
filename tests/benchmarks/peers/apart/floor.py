"""The floor: a bare asyncssh loop with everything tuned that can be, and nothing that a release needs.

No log, no supervision, no deadlines, no record of an exit on the target: `floor.py WORK.json`.
"""

import asyncio
import contextlib
import json
import os
import socket
import sys
import time
from pathlib import Path

import asyncssh

LOGINS = int(os.environ.get("LOGINS", "24"))
"""Logins at a time; 16 to 32 differ by less than runs do, more make single ones slow and gain nothing."""

QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class Client(asyncssh.SSHClient):
    """Answers at once: else the first command after a login waits 40 ms for a delayed acknowledgement."""

    def connection_made(self, conn):
        """Have every read acknowledged; the kernel forgets it, so each time anew."""
        sock = conn.get_extra_info("socket")
        if QUICKACK is None or sock is None:
            return
        received = conn.data_received

        def data_received(data, datatype=None):
            sock.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)
            received(data, datatype)

        conn.data_received = data_received


def shared(work):
    """One object of options for all connections, with key and host keys parsed once."""
    known = asyncssh.read_known_hosts(work["known_hosts"])
    trusted = known.match(work["targets"][0]["host"], "", work["targets"][0]["port"])
    return asyncssh.SSHClientConnectionOptions(
        config=None,
        known_hosts=lambda host, address, port: trusted,
        client_keys=[asyncssh.read_private_key(work["identity"])],
        agent_path=None,
        username=work["user"],
        kex_algs=["curve25519-sha256"],
        encryption_algs=["aes128-gcm@openssh.com"],
        server_host_key_algs=["ssh-ed25519"],
        compression_algs=None,
        preferred_auth="publickey",
        gss_host=None,
        x509_trusted_certs=None,
        x509_trusted_cert_paths=[],
        client_factory=Client,
        encoding=None,
    )


async def follow(conn, line, path):
    """Run a line, its output written to a file as it comes."""
    async with conn.create_process(line, encoding=None) as process:
        with open(path, "wb") as file:  # noqa: ASYNC230 - a write to the page cache
            while data := await process.stdout.read(65536):
                file.write(data)
        done = await process.wait()
    assert done.exit_status == 0, done


async def main(work):
    """Batch by batch: log in, then every step, on all targets of the batch at once."""
    options, gate, connections, first = shared(work), asyncio.Semaphore(LOGINS), [], 0.0

    async def one(target):
        nonlocal first
        async with gate:
            conn = await asyncssh.connect(target["host"], target["port"], options=options, config=None)
        connections.append(conn)
        first = first or time.time()
        for line in work["steps"]:
            if work["out"]:
                await follow(conn, line, f"{work['out']}/{target['id']}")
            else:
                done = await conn.run(line, encoding=None)
                assert done.exit_status == 0, done

    for batch in work["batches"]:
        await asyncio.gather(*(one(work["targets"][i]) for i in batch))
    rollout = time.time() - first
    for conn in connections:
        conn.close()
    with contextlib.suppress(OSError):
        await asyncio.gather(*(conn.wait_closed() for conn in connections))
    Path(work["dir"], "rollout").write_text(str(rollout))


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())))
