"""The log: structlog and the standard library through one formatter, on standard output, without private data."""

import logging
import logging.config
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

CARD_NUMBER = re.compile(r"(?<![\w.])\d(?:[ -]?\d){11,18}(?![\w.])")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
SECRET_NAMES = re.compile(r"authorization|api_?key|token$|password|secret|expiration", re.IGNORECASE)
HIDDEN = "***"

Event = MutableMapping[str, Any]


def without_private_data(_logger: Any, _method: str, event: Event) -> Event:
    """A net below: nothing of ours logs a card number, an e-mail address or a secret, but texts come from outside."""
    return {name: HIDDEN if SECRET_NAMES.search(name) else _clean(value) for name, value in event.items()}


def configure(log_format: str) -> None:
    """Set up the log for the whole program: `json` for machines, `console` for people."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    writer = structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer()
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, without_private_data, writer],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.root.handlers = [handler]
    logging.root.setLevel(logging.INFO)
    # At INFO it writes each call's whole address, and a chat service's address is its password.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return EMAIL.sub(HIDDEN, CARD_NUMBER.sub(_hide_card, value))
    if isinstance(value, dict):
        return without_private_data(None, "", value)
    if isinstance(value, list | tuple):
        return [_clean(part) for part in value]
    return value


def _hide_card(match: re.Match[str]) -> str:
    """Hide what passes a card number's check digit (Luhn, ISO/IEC 7812-1); other long numbers are ids."""
    digits = [int(char) for char in match.group() if char.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return HIDDEN if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 else match.group()
