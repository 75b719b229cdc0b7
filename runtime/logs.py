"""The log: structlog and the standard library through one formatter, on standard output, without private data."""

import logging
import logging.config
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from domain.redaction import redacted

MAX_LOGGED = 10_000
"""Characters of one text in the log; a traceback through all our layers has half of them."""

Event = MutableMapping[str, Any]


def without_private_data(_logger: Any, _method: str, event: Event) -> Event:
    """A net below: nothing of ours logs a card number, an e-mail address or a secret, but texts come from outside."""
    cleaned: Event = redacted(event, MAX_LOGGED)
    return cleaned


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
