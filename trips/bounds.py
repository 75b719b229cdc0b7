"""How much one message may ask of those who read it, whatever it says."""

import math
from typing import Any

MAX_DEPTH = 32
"""Of lists and objects in each other; a cart has 8. pydantic reads 200, and then can't write what it holds them in."""

MAX_VALUES = 250_000
"""A cart of 2,000 lines with every figure of the Checkout Service has 100,000; a walk over so many takes 30 ms."""


def check_bounds(value: Any) -> None:
    """Raise ValueError for a JSON value that is nested too deep, has too many parts, or a number without bounds."""
    level, values = [value], 0
    for _ in range(MAX_DEPTH):
        values += len(level)
        if values > MAX_VALUES:
            raise ValueError(f"it should have no more than {MAX_VALUES:,} values")
        level = [part for each in level for part in _parts(each)]
        if not level:
            return
    raise ValueError(f"it should be nested no deeper than {MAX_DEPTH} levels")


def _parts(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("it should have no number as large as 1e999")  # what JSON writes so is no number to anybody
    return value if isinstance(value, list) else ()
