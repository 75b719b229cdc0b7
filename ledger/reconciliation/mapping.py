"""How a settlement file is to be read: the names of its columns, its words, how it writes amounts (TOML).

```toml
delimiter = ";"                 # a comma where nothing is said
decimal_comma = true            # 42,10 instead of 42.10
minor_units = true              # 4210 instead of 42.10
refunds_are_negative = true     # -2.10 is a refund of 2.10
every_row = "delegated"         # what each row is, where no column says it; else columns.type and [words]

[columns]
trip = "Merchant Reference"     # this, currency and amount must be there
type = "Type"
currency = "Gross Currency"
amount = "Gross Amount"
reference = "Modification Reference"    # a refund's refundRequestId, the order's id of a delegated payment
date = "Booking Date"           # shown beside the row

[words]
capture = ["Settled"]           # what the column `type` says of each movement
refund = ["Refunded"]
ignored = ["Fee"]               # rows that are none of ours
chargeback = ["Chargeback"]     # and chargeback_reversed, capture_reversed, refund_reversed: listed, never matched

[statuses]                      # where columns.status says of each row what became of it
counts = ["settled"]
ignored = ["refused"]           # nothing was paid; what is in neither list is broken
```
"""

import tomllib
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from domain.journal import EntryType
from domain.model import StrictModel
from domain.validation_errors import describe_validation_error
from ledger.database import LedgerRejectionError
from ledger.reconciliation.matching import AFTERWARDS, Finding
from runtime.regular_files import read_regular

MAX_MAPPING_BYTES = 1_000_000
"""A mapping has some twenty lines."""

IGNORED = "ignored"
NO_MOVEMENTS = {IGNORED, *AFTERWARDS}
"""Words of a mapping that stand for no movement of the ledger's."""

Column = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Words = Annotated[tuple[Column, ...], Field(min_length=1)]


class Packaged(StrEnum):
    """The mappings that come with the program."""

    SIMULATOR = "simulator"
    AMAZON = "amazon"


class Columns(StrictModel):
    """In which column each thing stands."""

    trip: Column
    currency: Column
    amount: Column
    type: Column | None = None
    reference: Column | None = None
    date: Column | None = None
    status: Column | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All that the file's header must have."""
        return tuple(name for name in self.model_dump().values() if name is not None)


class MovementWords(StrictModel):
    """What the column `type` says of each movement."""

    capture: Words | None = None
    refund: Words | None = None
    delegated: Words | None = None
    ignored: Words | None = None
    chargeback: Words | None = None
    chargeback_reversed: Words | None = None
    capture_reversed: Words | None = None
    refund_reversed: Words | None = None


class Statuses(StrictModel):
    """What the column `status` says of rows whose money moved, and of those of which nothing was paid."""

    counts: Words
    ignored: Words | None = None


class Meaning(NamedTuple):
    """What a row is about: a movement, or what came after it."""

    movement: EntryType
    afterwards: Finding | None = None


class Mapping(StrictModel):
    """How to read one kind of settlement file."""

    columns: Columns
    words: MovementWords | None = None
    statuses: Statuses | None = None
    every_row: Literal["capture", "refund", "delegated"] | None = None
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    decimal_comma: bool = False
    minor_units: bool = False
    refunds_are_negative: bool = False

    @model_validator(mode="after")
    def _knows_what_a_row_is(self) -> Self:
        if (self.every_row is None) == (self.words is None) or (self.words is None) != (self.columns.type is None):
            raise ValueError("say what a row is by every_row, or by columns.type with [words]")
        if not self.movements:
            raise ValueError("words: name at least one of capture, refund and delegated")
        all_words = [word for words in self._words_by_movement.values() for word in words]
        if len(all_words) != len(set(all_words)):
            raise ValueError("words: the same word stands for two things")
        if (self.statuses is None) != (self.columns.status is None):
            raise ValueError("say what a status means by columns.status with [statuses]")
        if self.refunds_are_negative and EntryType.REFUND not in self.movements:
            raise ValueError("refunds_are_negative: says nothing where no row is a refund")
        return self

    @property
    def movements(self) -> tuple[EntryType, ...]:
        """The movements of the ledger that such a file speaks of."""
        return tuple(
            map(EntryType, (self.every_row,) if self.every_row else sorted(set(self._words_by_movement) - NO_MOVEMENTS))
        )

    def meanings(self) -> dict[str, Meaning | None]:
        """What each word stands for; None for what is none of ours."""
        return {word: _meaning(name) for name, words in self._words_by_movement.items() for word in words}

    @property
    def _words_by_movement(self) -> dict[str, tuple[str, ...]]:
        return self.words.model_dump(exclude_none=True) if self.words else {}


def _meaning(name: str) -> Meaning | None:
    if name == IGNORED:
        return None
    if name in AFTERWARDS:
        finding = Finding(name)
        return Meaning(AFTERWARDS[finding], finding)
    return Meaning(EntryType(name))


def load_mapping(source: str | Path) -> Mapping:
    """A packaged mapping by its name, or the one in a TOML file. Raises LedgerRejectionError with a sentence."""
    try:
        text = _packaged(source) if source in set(Packaged) else _named(Path(source))
        return Mapping.model_validate(tomllib.loads(text))
    except ValidationError as error:
        raise LedgerRejectionError(describe_validation_error(error, "the mapping")) from None
    except OSError as error:
        raise LedgerRejectionError(f"the mapping can't be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        raise LedgerRejectionError(f"the mapping can't be read: {why}") from None


def _named(path: Path) -> str:
    return read_regular(path, max_bytes=MAX_MAPPING_BYTES).decode("utf-8-sig")


def _packaged(name: object) -> str:
    return files("ledger.reconciliation").joinpath("mappings", f"{name}.toml").read_text("utf-8")
