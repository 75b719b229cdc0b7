"""JSON that everybody reads the same way: one name says one thing in an object (RFC 8259, section 4)."""

import json
from collections.abc import Callable
from typing import Any, NoReturn

from domain.texts import ReadableError
from domain.validation_errors import FIELD_NAME


class InvalidJsonError(ReadableError):
    """No JSON that means one thing; the sentence says why."""


def _refuse_constant(text: str) -> NoReturn:
    raise InvalidJsonError(f"{text} is no JSON")


def load_json(
    content: bytes | str,
    *,
    parse_float: Callable[[str], Any] = float,
    parse_constant: Callable[[str], Any] = _refuse_constant,
) -> Any:
    """What the JSON says. Raises InvalidJsonError.

    `parse_float` reads a number that is not whole, `parse_constant` NaN and its kin, which Python writes and JSON
    lacks.
    """
    try:
        return json.loads(content, object_pairs_hook=_object, parse_float=parse_float, parse_constant=parse_constant)
    except InvalidJsonError:
        raise
    except RecursionError:
        raise InvalidJsonError("nested too deep") from None
    except ValueError:
        raise InvalidJsonError("not JSON") from None


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(members)
    if len(said) < len(members):
        for name, value in members:
            if repr(value) != repr(said[name]):  # 1 and true are equal
                shown = f" ({name})" if FIELD_NAME.fullmatch(name) else ""
                raise InvalidJsonError(f"an object that says an attribute twice{shown}: nobody knows what is meant")
    return said
