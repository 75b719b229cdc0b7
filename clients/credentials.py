"""AWS credentials out of botocore's usual chain: read aside from the worker's own work, and again when they change.

A source may be a program, a file on a network or another service, so it may hang. Each reading has a thread of its own,
which can be left behind: in the loop's pool it would hold up name resolution and the end of the program.
"""

import asyncio
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import botocore.exceptions
import structlog
from botocore.credentials import Credentials, DeferredRefreshableCredentials, ProcessProvider
from botocore.session import Session

from runtime.daemon_threads import start_daemon
from runtime.regular_files import check_regular

log = structlog.get_logger()
logging.getLogger("botocore").setLevel(logging.CRITICAL)  # its warnings hold what a source has printed; ours do not

T = TypeVar("T")

READING_TIMEOUT = 15.0
"""Seconds for one reading: a company's own sign-in or a role that is assumed takes seconds."""

PROCESS_TIMEOUT = 12.0
"""Seconds for a credential_process, less than for the reading: it is ended, and the reading says so."""

MAX_PROCESS_OUTPUT = 64_000
"""Bytes of what a credential_process says; its JSON has less than 3,000."""

WAITING_TIMEOUT = 3.0
"""Seconds that a call waits for credentials. With the call's own 5 s it stays below what its activity has."""

REREAD_EVERY = 30.0
"""Seconds between two readings. Most cost a look at two files: botocore renews only what is about to expire."""

MAX_AGE = 300.0
"""Seconds for which what was read last is used though its source fails: botocore gives nothing out that lives for less
than ten minutes, where the source itself does not."""

MAX_HANGING = 8
"""Threads that may hang at a time; then the source is not asked until one of them comes back."""

ANEW_EVERY = 5.0
"""Seconds between two walks through the whole chain that refusals ask for: a service may refuse many calls at once."""

MAX_CONFIG_BYTES = 1_000_000
CONFIG_FILES = {"AWS_CONFIG_FILE": "~/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials"}
"""The chain's files: the variables that name them, and where they are else."""

WITHOUT_SIGNATURE = "for the simulator set PAYMENT_SERVICE_AUTH=none"

REASONS: dict[type[Exception], str] = {
    botocore.exceptions.ProfileNotFound: "the profile that AWS_PROFILE names is in none of AWS's files",
    botocore.exceptions.ConfigParseError: "AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE can't be parsed",
    botocore.exceptions.PartialCredentialsError: "of the access key and its secret only one is there",
    botocore.exceptions.CredentialRetrievalError: "their source gave none, such as a credential_process that failed",
    botocore.exceptions.SSOTokenLoadError: "nobody is signed in: run aws sso login",
    botocore.exceptions.UnauthorizedSSOTokenError: "the session of aws sso login has expired: run it again",
    botocore.exceptions.TokenRetrievalError: "the session of aws sso login has expired: run it again",
    botocore.exceptions.InvalidRegionError: "the region in AWS_DEFAULT_REGION or AWS's files is none",
    botocore.exceptions.NoRegionError: "their source needs a region: set AWS_DEFAULT_REGION",
    botocore.exceptions.ConnectionError: "their source can't be reached",
    botocore.exceptions.ClientError: "their source refuses to give any",
    FileNotFoundError: "their credential_process, or a file of theirs, is not there",
    PermissionError: "their credential_process, or a file of theirs, may not be used",
    TimeoutError: f"their credential_process did not end within {PROCESS_TIMEOUT:g} s",
    **dict.fromkeys(
        (ValueError, TypeError, KeyError, AttributeError),
        "a file of theirs, or what their credential_process says, can't be read",
    ),
}
"""What an error of the chain means, the first that fits. Its own words are not repeated: they may hold secrets."""


class MissingCredentialsError(ValueError):
    """There is nothing to sign with, or no telling for which region; the text says what to set."""


def unsigned(reason: MissingCredentialsError) -> MissingCredentialsError:
    """Why calls can't be signed, with the variable that wants them to be, and the way out for who needs none."""
    return MissingCredentialsError(f"PAYMENT_SERVICE_AUTH=sigv4: {reason}; {WITHOUT_SIGNATURE}")


class _NotRenewedError(MissingCredentialsError):
    """The source gave keys a moment ago, and now none that live for longer: it may again."""


@dataclass(frozen=True)
class Keys:
    """What calls are signed with."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)


@dataclass
class _Held:
    """Credentials as botocore holds them, and how their files were when the chain was asked for them."""

    credentials: Credentials
    files: Sequence[Any]


def check_credentials() -> Credentials:
    """The credentials of AWS's usual chain, which may ask the network.

    Raises MissingCredentialsError with a sentence.
    """
    try:
        credentials = _chain().load_credentials()
    except MissingCredentialsError:
        raise
    except Exception as error:  # noqa: BLE001 (each of botocore's sources has errors of its own, without a common base)
        raise MissingCredentialsError(_sentence(error)) from None
    if credentials is None:
        raise MissingCredentialsError(
            "AWS's usual places hold no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, "
            "or give the machine a role"
        )
    return credentials


def read_keys() -> Keys:
    """The keys of AWS's usual chain as they are now, read once; it may block. Raises MissingCredentialsError."""
    return _read(None, check_credentials, anew=True)[1]


class CredentialKeeper:
    """Holds the keys to sign with, reads them again while it is open, and never lets a call wait for long."""

    def __init__(self, resolve: Callable[[], Credentials] = check_credentials) -> None:
        """`resolve` goes through the chain anew; it may block, and raises MissingCredentialsError."""
        self._resolve = resolve
        self._held: _Held | None = None
        self._keys: Keys | None = None
        self._read_at = 0.0
        self._anew_at = 0.0
        self._failure: MissingCredentialsError | None = None
        self._reading: asyncio.Task[None] | None = None
        self._threads: list[threading.Thread] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator["CredentialKeeper"]:
        """Read for the first time, and from then on regularly.

        Raises MissingCredentialsError where there are no keys. Those that could not be renewed may come later.
        """
        regularly = asyncio.create_task(self._read_regularly())
        try:
            await self._read(anew=True)
            if self._failure and not isinstance(self._failure, _NotRenewedError):
                raise unsigned(self._failure)
            yield self
        finally:
            for task in (regularly, self._reading):
                if task:
                    task.cancel()
            _CredentialProcess.end_all()

    async def keys(self) -> Keys:
        """The keys of now.

        Raises MissingCredentialsError where none are known that can be trusted and none come in time.
        """
        if not self._is_fresh:
            await self._wait_for(self._begin())
        if self._keys is None or not self._is_fresh:
            raise MissingCredentialsError(str(self._failure or f"no AWS credentials within {WAITING_TIMEOUT:g} s"))
        return self._keys

    async def replaced(self, keys: Keys) -> bool:
        """Whether there are other keys by now than those, which a service did not allow."""
        if self._keys == keys:
            await self._wait_for(self._begin(anew=time.monotonic() - self._anew_at > ANEW_EVERY))
        return self._keys is not None and self._keys != keys

    @property
    def _is_fresh(self) -> bool:
        return self._keys is not None and time.monotonic() - self._read_at < MAX_AGE

    async def _read_regularly(self) -> None:
        while True:
            await asyncio.sleep(REREAD_EVERY)
            await self._begin()

    def _begin(self, *, anew: bool = False) -> "asyncio.Task[None]":
        """The reading that is under way, or a new one."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(anew=anew))
        return self._reading

    async def _wait_for(self, reading: "asyncio.Task[None]") -> None:
        await asyncio.wait([reading], timeout=WAITING_TIMEOUT)

    async def _read(self, *, anew: bool = False) -> None:
        """Read once. What goes wrong is kept in words, for the log and for calls; what was read before stays."""
        if anew:
            self._anew_at = time.monotonic()
        try:
            self._held, self._keys = await self._aside(partial(_read, self._held, self._resolve, anew=anew))
        except TimeoutError:
            sentence = f"the source of the AWS credentials did not answer within {READING_TIMEOUT:g} s"
            self._failure = MissingCredentialsError(sentence)
        except MissingCredentialsError as error:
            self._failure = error
        else:
            self._read_at, self._failure = time.monotonic(), None
            return
        self._held = None  # it may hang in a lock of its own: the chain is asked anew
        log.warning("credentials", outcome="not renewed", reason=str(self._failure))

    async def _aside(self, act: Callable[[], T]) -> T:
        """Act in a thread that may be left behind. Raises TimeoutError."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        if len(self._threads) >= MAX_HANGING:
            raise TimeoutError
        thread, answer = start_daemon(act, name="aws-credentials")
        self._threads.append(thread)
        async with asyncio.timeout(READING_TIMEOUT):
            return await asyncio.wrap_future(answer)


def _read(held: _Held | None, resolve: Callable[[], Credentials], *, anew: bool) -> tuple[_Held, Keys]:
    """The keys of now, out of what is held, or out of the chain. Raises MissingCredentialsError."""
    files = _files()
    if held is None or anew or held.files != files:
        held = _resolved(held, resolve, files)
    try:
        frozen = held.credentials.get_frozen_credentials()
    except Exception as error:  # noqa: BLE001 (as in check_credentials)
        # Deferred ones have given no keys yet: whether they can is known by now.
        deferred = isinstance(held.credentials, DeferredRefreshableCredentials)
        kind = MissingCredentialsError if deferred else _NotRenewedError
        raise kind(_sentence(error)) from None
    return held, _usable(Keys(frozen.access_key, frozen.secret_key, frozen.token))


def _resolved(held: _Held | None, resolve: Callable[[], Credentials], files: Sequence[Any]) -> _Held:
    """The chain asked anew; what is held stays while that brings nothing: a file may be written at this moment."""
    try:
        return _Held(resolve(), files)
    except MissingCredentialsError as error:
        if held is None:
            raise
        log.warning("credentials", outcome="kept as they were", reason=str(error))
        return held


def _usable(keys: Keys) -> Keys:
    """The keys as a header can hold them. Raises MissingCredentialsError.

    No key has blanks, so that at its ends they are only what a file or a variable was written with.
    """
    parts = {"the access key": keys.access_key, "the secret key": keys.secret_key, "the session token": keys.token}
    stripped = {name: part.strip() if part else None for name, part in parts.items()}
    for name, part in stripped.items():
        if part and not all("!" <= char <= "~" for char in part):
            raise MissingCredentialsError(
                f"{name} of the AWS credentials should be of ASCII's printable characters, without blanks"
            )
    access_key, secret_key, token = stripped.values()
    if not access_key or not secret_key:
        raise MissingCredentialsError("of the AWS credentials the access key or its secret is empty")
    return Keys(access_key, secret_key, token or None)


def _chain() -> Any:
    """AWS's usual chain, with a credential_process that is ended in time. Raises MissingCredentialsError."""
    for variable, path in _paths():
        try:
            check_regular(path, max_bytes=MAX_CONFIG_BYTES)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise MissingCredentialsError(f"{variable}: {error.strerror}") from None
    session = Session()
    chain = session.get_component("credential_provider")
    profile = session.get_config_variable("profile") or "default"
    method = ProcessProvider.METHOD
    chain.insert_after(method, ProcessProvider(profile, lambda: session.full_config, popen=_CredentialProcess))
    chain.remove(method)  # the first of that name
    return chain


def _files() -> Sequence[Any]:
    """How the chain's files are now: another one under the same name, or another content, shows."""
    found = []
    for variable, path in _paths():
        with suppress(OSError):
            facts = path.stat()
            found.append((variable, facts.st_ino, facts.st_size, facts.st_mtime_ns))
    return found


def _paths() -> Iterator[tuple[str, Path]]:
    for variable, usual in CONFIG_FILES.items():
        named = os.path.expandvars(os.environ.get(variable) or usual)
        yield variable, Path(os.path.expanduser(named))  # noqa: PTH111 (Path's own fails where nobody has a home)


def _sentence(error: Exception) -> str:
    reason = next((words for kind, words in REASONS.items() if isinstance(error, kind)), "their source failed")
    return f"there are no AWS credentials: {reason} ({type(error).__name__})"


class _CredentialProcess:
    """What botocore needs of a credential_process: ended in time, its words bounded, and never repeated."""

    running: ClassVar[set["_CredentialProcess"]] = set()
    starting: ClassVar[threading.Lock] = threading.Lock()

    @classmethod
    def end_all(cls) -> None:
        """Leave none behind when the program ends."""
        with cls.starting:
            processes = tuple(cls.running)
        for process in processes:
            process.end()

    def __init__(self, command: Sequence[str], **_pipes: Any) -> None:
        self.returncode: int | None = None
        with self.starting:
            self._process = subprocess.Popen(  # noqa: S603 (whoever writes AWS's config file decides what is run)
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            self.running.add(self)

    def communicate(self) -> tuple[bytes, bytes]:
        """What it said, once it has ended. Raises TimeoutError, and ValueError for what is too long."""
        overdue = threading.Event()
        in_time = threading.Timer(PROCESS_TIMEOUT, self.end, kwargs={"why": overdue})
        in_time.daemon = True
        in_time.start()
        try:
            with self._process as process:
                said = process.stdout.read(MAX_PROCESS_OUTPUT + 1) if process.stdout else b""
                if len(said) > MAX_PROCESS_OUTPUT:
                    self.end()
                    raise ValueError
        finally:
            in_time.cancel()
            self.running.discard(self)
        self.returncode = process.returncode
        if overdue.is_set():
            raise TimeoutError
        return said, b""

    def end(self, *, why: threading.Event | None = None) -> None:
        """End it with all that it started."""
        if why:
            why.set()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
