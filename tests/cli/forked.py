"""The real program in a process of its own, forked from one that has imported it: importing takes most of its time."""

import json
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing.reduction import DupFd
from typing import Any, NamedTuple

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.cli.preloaded", __name__])


class Ran(NamedTuple):
    """What a program wrote, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def document(self):
        return json.loads(self.out)

    @property
    def documents(self):
        return [json.loads(line) for line in self.out.splitlines()]


def run_forked(arguments: Sequence[str], environment: Mapping[str, str], stdin: bytes) -> Ran:
    """Run `python starter.py` to its end."""
    with tempfile.TemporaryFile() as into, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        into.write(stdin)
        into.seek(0)
        streams = [DupFd(stream.fileno()) for stream in (into, out, err)]
        program = FORKS.Process(target=be_the_program, args=(arguments, environment, streams))
        program.start()
        program.join()
        out.seek(0)
        err.seek(0)
        return Ran(program.exitcode, out.read().decode(), err.read().decode())


def be_the_program(arguments: Sequence[str], environment: Mapping[str, str], streams: Sequence[Any]) -> None:
    """What the forked process does."""
    for number, stream in enumerate(streams):
        os.dup2(stream.detach(), number)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115 (the process's own)
    sys.argv = ["starter.py", *arguments]
    os.environ.clear()
    os.environ.update(environment)
    import starter  # noqa: PLC0415 (only here, and in the process that is forked)
    from temporal.connection import exit_immediately  # noqa: PLC0415

    exit_immediately(starter.main())
