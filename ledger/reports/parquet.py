"""A report as Parquet: times and counts have types; an amount is text, as all of a column have the same decimals."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, BinaryIO

import pyarrow
from pyarrow import parquet

from ledger.reports.movements import NAMES

ROW_BATCH_SIZE = 20_000
"""A row group: about 40 MB while it is written."""

TYPES = {
    "adjusts": pyarrow.int32(),
    "declines": pyarrow.int32(),
    "tripStartedAt": pyarrow.timestamp("us", tz="UTC"),
    "at": pyarrow.timestamp("us", tz="UTC"),
}
SCHEMA = pyarrow.schema([(name, TYPES.get(name, pyarrow.string())) for name in NAMES])


def write_parquet(rows: Iterable[list[Any]], sink: BinaryIO, metadata: Callable[[], dict[str, str]]) -> None:
    """Write the rows, and then, as the file's own metadata, what is known of them only at their end."""
    with parquet.ParquetWriter(sink, SCHEMA, compression="zstd") as writer:
        remaining = iter(rows)
        while group := list(islice(remaining, ROW_BATCH_SIZE)):
            values = zip(*group, strict=True)
            columns = [pyarrow.array(column, field.type) for column, field in zip(values, SCHEMA, strict=True)]
            writer.write_batch(pyarrow.record_batch(columns, schema=SCHEMA))
        writer.add_key_value_metadata(metadata())
