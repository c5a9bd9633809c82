"""Real nginx, Prometheus and PostgreSQL on free loopback ports, each in a directory of its own; and bad servers."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from tests.sshd import free_port

DEADLINE_S = 60.0

NGINX = """\
daemon off;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
{user}
events {{ worker_connections 64; }}
http {{
  client_body_temp_path {dir}/temp; proxy_temp_path {dir}/temp; fastcgi_temp_path {dir}/temp;
  uwsgi_temp_path {dir}/temp; scgi_temp_path {dir}/temp;
  access_log off;
  {http}
}}
"""

SCRAPES = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- job_name: test
  static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
  honor_labels: true
"""


class Server:
    """A process that is started, waited for, and surely ended."""

    name = ""

    def __init__(self, path: Path) -> None:
        """Its files lie below `path`; nothing is started yet."""
        self.path = path
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        path.mkdir(parents=True, exist_ok=True)

    @property
    def log(self) -> Path:
        """What it says about itself."""
        return self.path / f"{self.name}.log"

    def run(self, argv: Sequence[str], ready: Callable[[], bool], **options: object) -> None:
        """Start it; returns once `ready`."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **options,  # pyright: ignore[reportArgumentType, reportCallIssue]
            )
        deadline = time.monotonic() + DEADLINE_S
        while not ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = self.log.read_text()
                self.stop()
                raise RuntimeError(f"{self.name} didn't start: {said}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, and all that it started."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(DEADLINE_S / 3)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Nginx(Server):
    """nginx; its process id is in `nginx.pid`."""

    name = "nginx"

    def start(self, http: str) -> None:
        """Start it with `http` as what stands in the http block; returns once it takes connections."""
        user = "user root;" if os.geteuid() == 0 else ""
        (self.path / "nginx.conf").write_text(NGINX.format(dir=self.path, user=user, http=http))
        argv = [shutil.which("nginx") or "/usr/sbin/nginx", "-p", str(self.path), "-c"]
        self.run([*argv, str(self.path / "nginx.conf"), "-e", str(self.path / "error.log")], self._listens)

    def _listens(self) -> bool:
        return (self.path / "nginx.pid").exists() and listens(self.port)

    def reopen(self) -> None:
        """Have it open its logs anew, as logrotate does."""
        os.kill(int((self.path / "nginx.pid").read_text()), signal.SIGUSR1)


class Prometheus(Server):
    """Prometheus, which scrapes an exporter once a second."""

    name = "prometheus"

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, exporter: int) -> None:
        """Start it on what the exporter at port `exporter` has; again after a stop with what it knew."""
        (self.path / "prometheus.yml").write_text(SCRAPES.format(port=exporter))
        self.run(
            [
                shutil.which("prometheus") or "/usr/bin/prometheus",
                f"--config.file={self.path / 'prometheus.yml'}",
                f"--storage.tsdb.path={self.path / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
            ],
            self._ready,
        )

    def _ready(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as sock:
            sock.sendall(b"GET /-/ready HTTP/1.0\r\n\r\n")
            return b" 200 " in sock.recv(64)
        return False


class Exporter:
    """An exporter whose lines are set by the test."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        exporter = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = "".join(f"{line}\n" for line in exporter.lines).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(OSError):  # whoever scrapes may be killed meanwhile
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Postgres(Server):
    """A PostgreSQL cluster of its own, that trusts user `postgres` on the loopback."""

    name = "postgres"
    OPTIONS: ClassVar[Mapping[str, str]] = {"fsync": "off", "listen_addresses": "127.0.0.1"}

    def __init__(self) -> None:
        """In a directory that the user `postgres` can reach: the server doesn't run as root."""
        super().__init__(Path(tempfile.mkdtemp(prefix="cockpit-postgres-")))

    @property
    def client(self) -> str:
        """The client's command line."""
        return f"psql -h 127.0.0.1 -p {self.port} -U postgres -d postgres"

    def start(self, *statements: str) -> None:
        """Make the cluster, start it, and run the statements."""
        tools = _postgres_tools()
        as_user: dict[str, object] = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.path, user.pw_uid, user.pw_gid)
            as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": str(self.path)}
        subprocess.run(
            [tools / "initdb", "-D", self.path / "data", "-U", "postgres", "-A", "trust", "--no-sync"],
            check=True,
            stdout=subprocess.DEVNULL,
            **as_user,  # pyright: ignore[reportArgumentType, reportCallIssue]
        )
        options = [f"--{name}={value}" for name, value in self.OPTIONS.items()]
        argv = [str(tools / "postgres"), "-D", str(self.path / "data"), f"-p{self.port}", f"-k{self.path}"]
        self.run([*argv, *options], self._answers, **as_user)
        for statement in statements:
            self.execute(statement)

    def execute(self, statement: str) -> str:
        """What psql prints for a statement."""
        argv = [*self.client.split(), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it at once, and remove all of it."""
        super().stop(how)
        shutil.rmtree(self.path, ignore_errors=True)

    def _answers(self) -> bool:
        argv = [_postgres_tools() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(argv).returncode == 0


def _postgres_tools() -> Path:
    """Where the newest PostgreSQL has its programs: Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name))
    return found[-1] if found else Path(shutil.which("initdb") or "/usr/bin/initdb").parent


def listens(port: int) -> bool:
    """Whether something takes connections there."""
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


Answers = Callable[[asyncio.StreamWriter], Awaitable[None]]


async def hangs(writer: asyncio.StreamWriter) -> None:
    """Say nothing until the server ends."""
    await asyncio.Event().wait()


async def drips(writer: asyncio.StreamWriter) -> None:
    """A byte now and then, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"1")
        await writer.drain()
        await asyncio.sleep(0.02)


async def floods(writer: asyncio.StreamWriter) -> None:
    """10 MB of digits."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(1000):
        writer.write(b"1" * 10_000)
        await writer.drain()


async def circles(writer: asyncio.StreamWriter) -> None:
    """A redirect to itself."""
    writer.write(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")


async def closes(writer: asyncio.StreamWriter) -> None:
    """Hang up without a word."""


def says(body: bytes, status: str = "200 OK") -> Answers:
    """A server that always answers this."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)

    return answer


@asynccontextmanager
async def answering(
    answers: Answers,
    asked: list[bytes] | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    eager: bool = False,
) -> AsyncIterator[str]:
    """A little server that reads a request (kept in `asked`) and answers so; an `eager` one waits for none.

    Gives its address.
    """
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                head = b"" if eager else await reader.readuntil(b"\r\n\r\n")
                if asked is not None:
                    asked.append(head)
                await answers(writer)
                await writer.drain()
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        # One that is cancelled before it began closes nothing by itself.
        task.add_done_callback(lambda _: writer.close())

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for _ in range(3):  # who was just taken in becomes a task meanwhile
            await asyncio.sleep(0)
        for task in [*tasks]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
