"""Matches a processor's file against the ledger: every row gets one verdict, and the verdicts add up to both totals.

    matched            in both, with the same amount
    missing_in_file    the ledger has it, the file does not
    missing_in_ledger  the file has it, the ledger does not
    amount_mismatch    in both, and the amounts differ
    currency_mismatch  in both, and the currencies differ
    duplicate          the file has it once more

    chargeback, chargeback_reversed, capture_reversed, refund_reversed
                       what came after a capture or a refund, and is no movement of the ledger's

A row is known by its trip and its movement, and where both sides give a reference, by that too: a trip is captured
once, and refunded as often as somebody asks.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import groupby
from typing import Literal

from domain.journal import EntryType
from domain.model import Model
from domain.money import plain_amount
from domain.period import Period

ALL: Literal["all"] = "all"
"""What all findings come to together."""

IN_WORDS = {EntryType.DELEGATED: "delegated payment"}
"""How a movement is called in a sentence, where its own name is no noun."""


class Side(StrEnum):
    """Where a row is from."""

    FILE = "file"
    LEDGER = "ledger"


class Finding(StrEnum):
    """What became of a row."""

    MATCHED = "matched"
    MISSING_IN_FILE = "missing_in_file"
    MISSING_IN_LEDGER = "missing_in_ledger"
    AMOUNT_MISMATCH = "amount_mismatch"
    CURRENCY_MISMATCH = "currency_mismatch"
    DUPLICATE = "duplicate"
    CHARGEBACK = "chargeback"
    CHARGEBACK_REVERSED = "chargeback_reversed"
    CAPTURE_REVERSED = "capture_reversed"
    REFUND_REVERSED = "refund_reversed"


AFTERWARDS = {
    Finding.CHARGEBACK: EntryType.CAPTURE,
    Finding.CHARGEBACK_REVERSED: EntryType.CAPTURE,
    Finding.CAPTURE_REVERSED: EntryType.CAPTURE,
    Finding.REFUND_REVERSED: EntryType.REFUND,
}
"""What can come after a movement, which it then undoes, or makes good again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A movement of money as one side has it."""

    shopping_trip_id: str
    movement: EntryType
    units: int
    """Minor units of the currency."""
    code: str
    reference: str | None = None
    """A refund's refundRequestId, the order's id where Amazon was paid: it tells one from another of the same trip."""

    @property
    def amount(self) -> str:
        """As people read it."""
        return f"{plain_amount(self.units, self.code)} {self.code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow(Row):
    """As the ledger has it."""

    store_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow(Row):
    """As the file has it."""

    line: int
    dated: str | None = None
    """The day as it is written there; it decides nothing."""
    afterwards: Finding | None = None
    """What it is where it is not the movement itself: one of AFTERWARDS. Units below zero undo it."""
    earlier_file: date | None = None
    """The day of the earlier file that has the row; None in the file that is reconciled."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of one row, or of the two that belong together."""

    finding: Finding
    ours: LedgerRow | None = None
    theirs: FileRow | None = None
    repeats: FileRow | None = None
    """The row that a duplicate repeats, in the same file or in an earlier one."""

    @property
    def row(self) -> Row:
        """The row that it is about, as the ledger has it where it is there."""
        return self.ours or self.theirs  # type: ignore[return-value] # one of them is there

    @property
    def reason(self) -> str:
        """Why, in words."""
        what, amount = IN_WORDS.get(self.row.movement, self.row.movement), self.row.amount
        if self.finding in AFTERWARDS:
            undone = f"{plain_amount(abs(self.row.units), self.row.code)} {self.row.code}"
            return f"the file has a {self.finding.replace('_', ' ')} of {undone}, which the ledger does not post"
        match self.finding:
            case Finding.MATCHED:
                return f"the {what} is {amount} in both"
            case Finding.MISSING_IN_FILE:
                return f"the ledger has a {what} of {amount}, the file has none"
            case Finding.MISSING_IN_LEDGER:
                return f"the file has a {what} of {amount}, the ledger has none"
            case Finding.DUPLICATE:
                first = self.repeats
                file = f"the file of {first.earlier_file}" if first and first.earlier_file else "the file"
                return f"{file} has the {what} in line {first and first.line} already"
        in_file = self.theirs.amount if self.theirs else "nothing"
        return f"the {what} is {in_file} in the file, {amount} in the ledger"


def reconcile(
    ours: Iterable[LedgerRow], theirs: Iterable[FileRow], missing_of: Period | None = None
) -> Iterator[Verdict]:
    """A verdict for each row: of the ledger in its order, then of what only the file has in that one's.

    `ours` comes trip by trip and, within a trip, movement by movement, so that only the file has to fit into memory.
    With `missing_of`, rows of the ledger outside that period may match, and are not missing where nothing matches them.
    Rows of earlier files may match too, and get no verdict: each was reconciled with its own file.
    """
    waiting: defaultdict[tuple[str, EntryType], list[FileRow]] = defaultdict(list)
    afterwards: list[Verdict] = []
    for row in theirs:
        if row.afterwards:
            afterwards.append(Verdict(row.afterwards, None, row))
        else:
            waiting[_subject(row)].append(row)
    for subject, group in groupby(ours, key=_subject):
        for verdict in _match(list(group), waiting.pop(subject, ())):
            if _matters(verdict, missing_of):
                yield verdict
    for rows in waiting.values():
        yield from (verdict for verdict in _match((), rows) if _matters(verdict, missing_of))
    yield from (verdict for verdict in afterwards if _matters(verdict, missing_of))


def _matters(verdict: Verdict, period: Period | None) -> bool:
    """Whether it is about the file that is reconciled, or about a row of the ledger that should be in it."""
    if verdict.theirs is not None:
        return verdict.theirs.earlier_file is None
    return period is None or (verdict.ours is not None and verdict.ours.at in period)


def _subject(row: Row) -> tuple[str, EntryType]:
    return row.shopping_trip_id, row.movement


def _match(ours: Sequence[LedgerRow], theirs: Sequence[FileRow]) -> Iterator[Verdict]:
    """The verdicts on the rows of one trip and movement: first those of earlier files, then those that differ least."""
    pairs = sorted(
        (their.earlier_file is None, _distance(our, their), place, number)
        for place, our in enumerate(ours)
        for number, their in enumerate(theirs)
        if not (our.reference and their.reference) or our.reference == their.reference
    )
    partner_of: dict[int, int] = {}
    taken: dict[int, int] = {}
    for _, _, place, number in pairs:
        if place not in partner_of and number not in taken:
            partner_of[place], taken[number] = number, place
    for place, our in enumerate(ours):
        yield _compare(our, theirs[partner_of[place]]) if place in partner_of else Verdict(Finding.MISSING_IN_FILE, our)
    yield from _left_over(theirs, taken)


def _distance(ours: Row, theirs: Row) -> tuple[bool, bool, bool]:
    return ours.reference != theirs.reference, ours.code != theirs.code, ours.units != theirs.units


def _compare(ours: LedgerRow, theirs: FileRow) -> Verdict:
    if ours.code != theirs.code:
        return Verdict(Finding.CURRENCY_MISMATCH, ours, theirs)
    return Verdict(Finding.MATCHED if ours.units == theirs.units else Finding.AMOUNT_MISMATCH, ours, theirs)


def _left_over(theirs: Sequence[FileRow], taken: Iterable[int]) -> Iterator[Verdict]:
    """What the ledger has nothing for: rows that repeat another, and rows that are missing in the ledger."""
    seen: dict[object, FileRow] = {}
    paired = set(taken)
    for number in paired:
        _remember(seen, theirs[number])
    for number, row in enumerate(theirs):
        if number not in paired:
            first = seen.get(_identity(row))
            yield Verdict(Finding.MISSING_IN_LEDGER if first is None else Finding.DUPLICATE, None, row, first)
            _remember(seen, row)


def _identity(row: FileRow) -> object:
    """By what a second row of the same trip and movement is known as a repeat."""
    if row.reference:
        return (row.reference,)
    return (row.units, row.code) if row.movement is EntryType.REFUND else ()


def _remember(seen: dict[object, FileRow], row: FileRow) -> None:
    for identity in ((row.reference,), (row.units, row.code), ()):
        seen.setdefault(identity, row)


class TotalLine(Model):
    """What one finding comes to for one movement and currency, on both sides."""

    event: EntryType
    currency: str
    finding: Finding | Literal["all"]
    file_rows: int
    in_file: str
    """A plain decimal with the currency's own digits, as are the two below."""
    ledger_rows: int
    in_ledger: str
    difference: str
    """What the file has more than the ledger; below zero where it has less."""


class Totals:
    """What verdicts come to by movement and currency, never added over currencies."""

    def __init__(self) -> None:
        self.findings: Counter[Finding] = Counter()
        self._rows: Counter[tuple[EntryType, str, Finding | Literal["all"], Side]] = Counter()
        self._units: Counter[tuple[EntryType, str, Finding | Literal["all"], Side]] = Counter()

    def add(self, verdict: Verdict) -> None:
        """Count the verdict, and each of its rows in the row's own currency."""
        self.findings[verdict.finding] += 1
        for side, row in ((Side.LEDGER, verdict.ours), (Side.FILE, verdict.theirs)):
            if row:
                for finding in (verdict.finding, ALL):
                    self._rows[row.movement, row.code, finding, side] += 1
                    self._units[row.movement, row.code, finding, side] += row.units

    @property
    def left_over(self) -> int:
        """How many verdicts are not `matched`."""
        return self.findings.total() - self.findings[Finding.MATCHED]

    def lines(self) -> list[TotalLine]:
        """A line for each finding of a movement and currency, and after them what they come to in all."""
        seen = {key[:3] for key in self._rows}
        order = [*Finding, ALL]
        return [self._line(*key) for key in sorted(seen, key=lambda key: (*key[:2], order.index(key[2])))]

    def _line(self, movement: EntryType, code: str, finding: Finding | Literal["all"]) -> TotalLine:
        file, ledger = ((movement, code, finding, side) for side in (Side.FILE, Side.LEDGER))
        return TotalLine(
            event=movement,
            currency=code,
            finding=finding,
            file_rows=self._rows[file],
            in_file=plain_amount(self._units[file], code),
            ledger_rows=self._rows[ledger],
            in_ledger=plain_amount(self._units[ledger], code),
            difference=plain_amount(self._units[file] - self._units[ledger], code),
        )
