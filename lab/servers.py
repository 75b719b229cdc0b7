"""Starts what a shop would run: Temporal's own server, the simulator, a worker; all listen on 127.0.0.1 only."""

import asyncio
import itertools
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
from temporalio.client import Client
from temporalio.service import RPCError

from lab.binaries import temporal
from temporal.connection import data_converter

HOST = "127.0.0.1"
PATIENCE = timedelta(seconds=120)
"""For a server to answer; two busy cores have needed 10 s."""
LOOK_AGAIN = timedelta(milliseconds=100)
GRACE = timedelta(seconds=10)
"""Then a program that was asked to end is killed."""

FAST = (
    "history.transferProcessorMaxPollRPS=2000",
    "history.timerProcessorMaxPollRPS=2000",
    'history.timerProcessorMaxTimeShift="10ms"',
)
"""Three activities then take 50 ms instead of 200, a short timer 30 ms instead of 1 s (docs/temporal.md, Development
server)."""


OURS = range(20_000, 32_000)
"""Below the ports that systems give to connections: Linux begins at 32,768."""
LAST_WORDS = 500
"""Characters of what a program wrote at last."""


class NotReadyError(Exception):
    """A program ended, or did not answer in time; the text has its last words."""


class Program:
    """A program that runs beside us; its output goes to a file in the folder."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> None:
        self.name = name
        self.output = folder / f"{name}.log"
        self._command = command
        self._environment = {**os.environ, **variables}
        self.start()

    def start(self) -> None:
        """Begin it, or begin it once more after it was killed."""
        with self.output.open("ab") as sink:
            self.process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )

    @property
    def not_ready(self) -> str:
        """That it is not ready, and what it wrote at last."""
        return f"{self.name} is not ready: {self.output.read_text(errors='replace')[-LAST_WORDS:].strip() or 'no word'}"

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.process.kill()
        self.process.wait()

    def stand_still(self) -> None:
        """Stop it where it is, as a frozen machine would."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Have it go on from there."""
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """Ask it to end, and see that it does."""
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(GRACE.total_seconds())
        except subprocess.TimeoutExpired:
            self.kill()


@contextmanager
def running(
    name: str, command: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """Run a program, and end it afterwards."""
    program = Program(name, command, folder, variables or {})
    try:
        yield program
    finally:
        program.end()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, and that the system gives to no connection before a program has them."""
    ports = (port for port in random.sample(OURS, len(OURS)) if _is_free(port))
    return list(itertools.islice(ports, count))


def _is_free(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return False
    return True


@dataclass
class TemporalServer:
    """A development server that answers."""

    client: Client
    address: str
    web_ui: str
    program: Program

    async def kill_and_restart(self) -> None:
        """Let it die as a machine does, and begin it again on the database that is left."""
        self.program.kill()
        self.program.start()
        await _connected(self.program, self.address)


@asynccontextmanager
async def temporal_server(folder: Path) -> AsyncIterator[TemporalServer]:
    """Temporal's own server with its Web UI, its database in the folder."""
    port, ui_port, metrics = free_ports(3)
    command = [temporal(), "server", "start-dev", "--ip", HOST, "--port", str(port), "--ui-port", str(ui_port)]
    command += ["--metrics-port", str(metrics), "--db-filename", str(folder / "temporal.db"), "--log-level", "error"]
    command += ["--sqlite-pragma", "journal_mode=wal"]
    for value in FAST:
        command += ["--dynamic-config-value", value]
    with running("temporal", command, folder) as program:
        client = await _connected(program, f"{HOST}:{port}")
        yield TemporalServer(client, f"{HOST}:{port}", f"http://{HOST}:{ui_port}", program)


async def _connected(program: Program, address: str) -> Client:
    async for _ in _patiently(program):
        try:
            client = await Client.connect(address, data_converter=data_converter())
            await client.count_workflows()
        except (RuntimeError, RPCError):
            continue
        return client
    raise NotReadyError(program.not_ready)


@asynccontextmanager
async def simulator(folder: Path) -> AsyncIterator[str]:
    """A simulator; gives its address."""
    (port,) = free_ports(1)
    url = f"http://{HOST}:{port}"
    with running("simulator", [sys.executable, "-m", "simulator", "--port", str(port)], folder) as program:
        async with httpx.AsyncClient() as http:
            async for _ in _patiently(program):
                try:
                    (await http.get(f"{url}/simulator/counts")).raise_for_status()
                except httpx.HTTPError:
                    continue
                break
        yield url


def ledger_url(folder: Path) -> str:
    """Where the ledger of a run are: a file that is gone with its folder."""
    return f"sqlite:///{folder / 'ledger.db'}"


def worker(
    folder: Path, temporal_address: str, service: str, *, name: str = "worker", **variables: str
) -> AbstractContextManager[Program]:
    """A worker for that server and that service; its ledger are in the folder."""
    environment = {
        "TEMPORAL_ADDRESS": temporal_address,
        "PAYMENT_SERVICE_URL": service,
        "PAYMENT_SERVICE_AUTH": "none",
        "CHECKOUT_SERVICE_URL": service,
        "LEDGER_URL": ledger_url(folder),
        "RECEIPT_URL": f"{service}/receipts",
        "INCIDENT_URL": f"{service}/incidents",
        **variables,
    }
    return running(name, [sys.executable, "worker.py"], folder, environment)


async def _patiently(program: Program) -> AsyncIterator[None]:
    """Moments at which to look whether a program answers. Raises NotReadyError when there are no more."""
    for _ in range(int(PATIENCE / LOOK_AGAIN)):
        if program.process.poll() is not None:
            break
        yield
        await asyncio.sleep(LOOK_AGAIN.total_seconds())
    raise NotReadyError(program.not_ready)
