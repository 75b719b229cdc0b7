"""`check`: whether all that the environment configures can be reached, and who we are to it."""

from collections.abc import Iterator, Sequence
from itertools import chain

import typer

from cli.connection import silence_sdk
from cli.options import Json, example
from cli.output import draw_table, print_error, print_json, print_text
from operations.checks import CheckResult, CheckState, run_checks

commands = typer.Typer()

HEADINGS = ("check", "state", "what was found")


@commands.command(epilog=example("check", "check --json"))
def check(*, as_json: Json = False) -> None:
    """Check all that a worker's variables name: Temporal, ledger, services, receivers; exit status 1 where one fails.

    Nothing is changed, charged or delivered: to a service or receiver only a connection is made (TCP and TLS).
    """
    from cli.configured_checks import configured_checks  # noqa: PLC0415 (httpx and botocore: no other command needs them)

    silence_sdk()
    results = run_checks(configured_checks())
    if as_json:
        for result in results:
            print_json(result.to_json())
    else:
        print_text(draw_table(HEADINGS, chain.from_iterable(map(_rows, results))))
    if failed := [result.name for result in results if result.state is CheckState.FAILED]:
        print_error(f"{len(failed)} of {len(results)} checks failed: {', '.join(failed)}")
        raise typer.Exit(1)


def _rows(result: CheckResult) -> Iterator[Sequence[object]]:
    """A row for each line of the sentence: a command that is to be run stands in one of its own."""
    first, *others = result.sentence.splitlines()
    yield (result.name, result.state, first)
    for line in others:
        yield ("", "", line)
