"""How much one message may ask of those who read it, whatever it says."""

from typing import Any

MAX_DEPTH = 200
"""Of lists and objects in each other; pydantic reads as many; far fewer are kept (domain/display_values.py)."""

MAX_VALUES = 250_000
"""A cart of 2,000 lines with every figure of the Checkout Service has 100,000; a walk over so many takes 30 ms."""


def check_bounds(value: Any) -> None:
    """Raise ValueError for a JSON value that is nested too deep, or has too many parts."""
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
    return value if isinstance(value, list) else ()
