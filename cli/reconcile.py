"""`reconcile`: a processor's settlement file against the ledger."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from cli.connection import opened_ledger
from cli.files import whole_file
from cli.options import Json, example, input_file
from cli.output import draw_table, print_error, print_json, print_text
from cli.report import end_of, period_of, start_of
from domain.model import rfc3339
from domain.money import plain_amount
from domain.redaction import masked
from ledger.reconciliation.file_reconciliation import Reconciliation, Tally, verdicts
from ledger.reconciliation.mapping import Mapping, Packaged, load_mapping
from ledger.reconciliation.matching import Finding, TotalLine, Verdict
from ledger.reconciliation.settlement_file import MAX_FILE_BYTES, Broken, SettlementFile, read_settlement_file
from ledger.schema import checked_read_transaction
from ledger.spreadsheet_csv import write_csv

commands = typer.Typer()

MAX_ROWS_SHOWN = 1_000
"""Rows that a person reads; --output and --json have all."""

BROKEN = "broken"
"""The finding of a row that can't be used."""

COLUMNS = (
    *("finding", "event", "shoppingTripId", "storeId", "reference", "line", "fileDate", "at"),
    *("inFile", "fileCurrency", "inLedger", "ledgerCurrency", "reason"),
)
TOTALS = ("event", "currency", "finding", "rows in file", "in file", "rows in ledger", "in ledger", "difference")
LEFT_OVER = ("trip", "line", "event", "finding", "why")

From = Annotated[
    datetime | None,
    typer.Option("--from", parser=start_of, metavar="DAY|TIME", help="Only what the ledger has from then on can miss."),
]
To = Annotated[
    datetime | None,
    typer.Option(
        "--to", parser=end_of, metavar="DAY|TIME", help="And until then: all of that day, or before that time."
    ),
]
File = Annotated[str, typer.Argument(metavar="FILE", help="The file (CSV); - is standard input.")]
Output = Annotated[
    Path | None, typer.Option(dir_okay=False, metavar="FILE", help="Where to write every row with its finding (CSV).")
]
How = Annotated[
    str, typer.Option("--mapping", metavar="MAPPING", help="How to read it: simulator, amazon, or a TOML file.")
]


@commands.command(
    epilog=example(
        "reconcile settlement.csv",
        "reconcile orders.csv --mapping amazon --from 2026-11-24 --to 2026-11-24 --output verdicts.csv",
    )
)
def reconcile(
    file: File,
    *,
    mapping: How = Packaged.SIMULATOR.value,
    since: From = None,
    until: To = None,
    output: Output = None,
    as_json: Json = False,
) -> None:
    """Match a processor's settlement file against the ledger; exit status 1 where anything is left over.

    Every row is matched, missing in file, missing in ledger, amount mismatch, currency mismatch, or duplicate.

    With --from and --to, rows match entries of any day, and only entries of that time can be missing in file.

    --json has a line for each row that is left over, and the sums last.
    """
    if (since is None) != (until is None):
        raise typer.BadParameter("give both or none", param_hint="--from, --to")
    period = period_of(since, until) if since and until else None
    how, content = _read(file, mapping)
    tally = Tally(content, most=MAX_ROWS_SHOWN)
    with opened_ledger() as ledger, checked_read_transaction(ledger.database) as connection:
        found = tally.counted(verdicts(connection, content, how.movements, period))
        _consume(_print_left_over(found) if as_json else found, content.broken, output)
    result = tally.result()
    if as_json:
        for broken in content.broken:
            print_json(_facts_of_broken(broken))
        print_json(result.to_json())
    else:
        _show(result, tally)
    if result.left_over:
        raise typer.Exit(1)


def _read(file: str, mapping: str) -> tuple[Mapping, SettlementFile]:
    how = load_mapping(mapping)
    with input_file(file, MAX_FILE_BYTES) as content:
        return how, read_settlement_file(content, how)


def _print_left_over(found: Iterable[Verdict]) -> Iterator[Verdict]:
    """The verdicts as they pass by, those left over printed for machines."""
    for verdict in found:
        if verdict.finding is not Finding.MATCHED:
            print_json({name: value for name, value in _facts(verdict).items() if value is not None})
        yield verdict


def _consume(found: Iterable[Verdict], broken: Iterable[Broken], output: Path | None) -> None:
    """Let all verdicts pass by, into a file where one is named."""
    if output is None:
        for _ in found:
            pass
        return
    rows = chain(map(_facts, found), map(_facts_of_broken, broken))
    with whole_file(output) as sink:
        write_csv(chain([COLUMNS], ([row.get(name) for name in COLUMNS] for row in rows)), sink)


def _facts(verdict: Verdict) -> dict[str, object]:
    """A verdict as machines read it."""
    ours, theirs, row = verdict.ours, verdict.theirs, verdict.row
    return {
        "finding": verdict.finding,
        "event": row.movement,
        "shoppingTripId": masked(row.shopping_trip_id),
        "storeId": ours and ours.store_id,
        "reference": row.reference,
        "line": theirs and theirs.line,
        "fileDate": theirs and theirs.dated,
        "at": ours and rfc3339(ours.at),
        "inFile": theirs and plain_amount(theirs.units, theirs.code),
        "fileCurrency": theirs and theirs.code,
        "inLedger": ours and plain_amount(ours.units, ours.code),
        "ledgerCurrency": ours and ours.code,
        "reason": verdict.reason,
    }


def _facts_of_broken(broken: Broken) -> dict[str, object]:
    return {"finding": BROKEN, "line": broken.line, "reason": broken.reason}


def _show(result: Reconciliation, tally: Tally) -> None:
    print_totals(result)
    if tally.left_over:
        print_text(draw_table(LEFT_OVER, map(_left_over, tally.left_over)))
    print_error("\n".join(map(str, tally.file.broken)))
    shown = len(tally.left_over) + result.broken
    if shown < result.left_over:
        print_error(f"These are the first {shown} of {result.left_over}: --output and --json have all.")
    print_text(counts_in_words(result))


def print_totals(result: Reconciliation) -> None:
    """Show what each finding comes to, where there is anything."""
    if result.totals:
        print_text(draw_table(TOTALS, map(_total, result.totals), money=TOTALS[3:]))


def counts_in_words(result: Reconciliation) -> str:
    """What became of the file's rows, in one line."""
    ignored = f" Passed over: {result.ignored}." if result.ignored else ""
    return f"Matched: {result.matched}. Left over: {result.left_over}.{ignored}"


def _total(of: TotalLine) -> Sequence[object]:
    sums = (of.file_rows, of.in_file, of.ledger_rows, of.in_ledger, of.difference)
    return (of.event, of.currency, _readable(of.finding), *sums)


def _left_over(verdict: Verdict) -> Sequence[object]:
    row, line = verdict.row, verdict.theirs and verdict.theirs.line
    return (masked(row.shopping_trip_id), line, row.movement, _readable(verdict.finding), verdict.reason)


def _readable(name: str) -> str:
    return name.replace("_", " ")
