"""Starts the programs of a deployment: Temporal's server, the simulator, a worker. All listen on 127.0.0.1 only."""

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
import psutil
from temporalio.client import Client
from temporalio.service import RPCError

from lab.binaries import temporal
from temporal.connection import data_converter

HOST = "127.0.0.1"
STARTUP_TIMEOUT = timedelta(seconds=120)
"""For a server to answer; two busy cores have needed 10 s."""
STARTUP_POLL_INTERVAL = timedelta(milliseconds=100)
SHUTDOWN_TIMEOUT = timedelta(seconds=10)
"""From SIGTERM; then the program is killed."""

FAST_DEV_SERVER = (
    "history.transferProcessorMaxPollRPS=2000",
    "history.timerProcessorMaxPollRPS=2000",
    'history.timerProcessorMaxTimeShift="10ms"',
)
"""Three activities then take 50 ms instead of 200, a short timer 30 ms instead of 1 s (docs/temporal.md, Development
server)."""

PORTS = range(20_000, 32_000)
"""Below the ports that systems give to outgoing connections: Linux begins at 32,768."""
MAX_OUTPUT_SHOWN = 500
"""Characters, from the end of a program's output."""


class NotReadyError(Exception):
    """A program ended, or did not answer in time; the text has the end of its output."""


class Program:
    """A child process; its output goes to a file in the folder."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> None:
        self.name = name
        self.output = folder / f"{name}.log"
        self._command = command
        self._environment = {**os.environ, **variables}
        self.start()

    def start(self) -> None:
        """Start it, or start it again after it was killed."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )

    @property
    def cpu_seconds(self) -> float:
        """How much of a processor it has used so far."""
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system

    @property
    def not_ready(self) -> str:
        """A sentence that it is not ready, with the end of its output."""
        output = self.output.read_text(errors="replace")[-MAX_OUTPUT_SHOWN:].strip()
        return f"{self.name} is not ready: {output or 'no output'}"

    def kill(self) -> None:
        """Kill it (SIGKILL), as a crash would."""
        self.process.kill()
        self.process.wait()

    def suspend(self) -> None:
        """Stop it where it is (SIGSTOP), as a frozen machine would."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it continue from there (SIGCONT)."""
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Ask it to end (SIGTERM), and kill it after SHUTDOWN_TIMEOUT."""
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(SHUTDOWN_TIMEOUT.total_seconds())
        except subprocess.TimeoutExpired:
            self.kill()


@contextmanager
def running(
    name: str, command: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """Run a program, and stop it afterwards."""
    program = Program(name, command, folder, variables or {})
    try:
        yield program
    finally:
        program.stop()


def free_ports(count: int) -> list[int]:
    """Free ports that the system gives to no outgoing connection before a program listens on them."""
    ports = (port for port in random.sample(PORTS, len(PORTS)) if _is_free(port))
    return list(itertools.islice(ports, count))


def _is_free(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return False
    return True


@dataclass
class TemporalServer:
    """A development server that is ready."""

    client: Client
    address: str
    web_ui: str
    program: Program

    async def kill_and_restart(self) -> None:
        """Kill it, and start it again on the same database."""
        self.program.kill()
        self.program.start()
        await _connected(self.program, self.address)


@asynccontextmanager
async def temporal_server(folder: Path) -> AsyncIterator[TemporalServer]:
    """Run Temporal's development server with its Web UI; its database is in the folder."""
    port, ui_port, metrics = free_ports(3)
    command = [temporal(), "server", "start-dev", "--ip", HOST, "--port", str(port), "--ui-port", str(ui_port)]
    command += ["--metrics-port", str(metrics), "--db-filename", str(folder / "temporal.db"), "--log-level", "error"]
    command += ["--sqlite-pragma", "journal_mode=wal"]
    for value in FAST_DEV_SERVER:
        command += ["--dynamic-config-value", value]
    with running("temporal", command, folder) as program:
        client = await _connected(program, f"{HOST}:{port}")
        yield TemporalServer(client, f"{HOST}:{port}", f"http://{HOST}:{ui_port}", program)


async def _connected(program: Program, address: str) -> Client:
    async for _ in _startup_polls(program):
        try:
            client = await Client.connect(address, data_converter=data_converter())
            await client.count_workflows()
        except (RuntimeError, RPCError):
            continue
        return client
    raise NotReadyError(program.not_ready)


@asynccontextmanager
async def simulator(folder: Path) -> AsyncIterator[str]:
    """Run a simulator; gives its URL."""
    async with simulator_program(folder) as (url, _):
        yield url


@asynccontextmanager
async def simulator_program(folder: Path) -> AsyncIterator[tuple[str, Program]]:
    """Run a simulator; gives its URL and its process."""
    (port,) = free_ports(1)
    url = f"http://{HOST}:{port}"
    with running("simulator", [sys.executable, "-m", "simulator", "--port", str(port)], folder) as program:
        await _answers(program, f"{url}/simulator/counts")
        yield url, program


def ledger_url(folder: Path) -> str:
    """The LEDGER_URL of a run: a SQLite file that is removed with the folder."""
    return f"sqlite:///{folder / 'ledger.db'}"


def worker(
    folder: Path, temporal_address: str, service: str, *, name: str = "worker", **variables: str
) -> AbstractContextManager[Program]:
    """Run a worker for that Temporal server and that simulator; its ledger is in the folder."""
    environment = {
        "TEMPORAL_ADDRESS": temporal_address,
        "PAYMENT_SERVICE_URL": service,
        "PAYMENT_SERVICE_AUTH": "none",
        "CHECKOUT_SERVICE_URL": service,
        "PRICING_URL": f"{service}/pricing",
        "LEDGER_URL": ledger_url(folder),
        "RECEIPT_URL": f"{service}/receipts",
        "INCIDENT_URL": f"{service}/incidents",
        **variables,
    }
    return running(name, [sys.executable, "worker.py"], folder, environment)


@asynccontextmanager
async def connector(
    folder: Path, temporal_address: str, *, module: str = "connector", **variables: str
) -> AsyncIterator[tuple[str, Program]]:
    """Run a connector for that Temporal server; gives its URL and its process. Started again, it has the same URL."""
    (port,) = free_ports(1)
    environment = {
        "TEMPORAL_ADDRESS": temporal_address,
        "LEDGER_URL": ledger_url(folder),
        "CONNECTOR_ADDRESS": f"{HOST}:{port}",
        **variables,
    }
    with running(module, [sys.executable, "-m", module], folder, environment) as program:
        url = f"http://{HOST}:{port}"
        await _answers(program, f"{url}/livez")
        yield url, program


async def _answers(program: Program, url: str) -> None:
    """Wait until the program answers there. Raises NotReadyError."""
    async with httpx.AsyncClient() as http:
        async for _ in _startup_polls(program):
            try:
                (await http.get(url)).raise_for_status()
            except httpx.HTTPError:
                continue
            return


async def _startup_polls(program: Program) -> AsyncIterator[None]:
    """Yields each time the caller should check if the program answers. Raises NotReadyError after STARTUP_TIMEOUT."""
    for _ in range(int(STARTUP_TIMEOUT / STARTUP_POLL_INTERVAL)):
        if program.process.poll() is not None:
            break
        yield
        await asyncio.sleep(STARTUP_POLL_INTERVAL.total_seconds())
    raise NotReadyError(program.not_ready)
