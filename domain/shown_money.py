"""A figure of a cart as it was said, for the receipt: nothing is charged by it."""

from decimal import Decimal
from typing import Any

from domain.display_values import CURRENCY_CODE
from domain.model import Model
from domain.money import minor_digits, read_decimal
from domain.redaction import holds_card_number


class ShownMoney(Model):
    """A figure on a receipt that is charged nobody: signed, with any decimals, and perhaps of another currency."""

    amount: Decimal
    code: str

    @classmethod
    def read(cls, value: Any, code: str) -> "ShownMoney | None":
        """The figure in what was said; None where there is none. `code` is the currency of a bare number."""
        said = value if isinstance(value, dict) else {"amount": value}
        currency = said.get("code", said.get("currencyCode", code))
        try:
            amount = read_decimal(said.get("amount"))
        except ValueError:
            return None
        if not isinstance(currency, str) or not CURRENCY_CODE.fullmatch(currency.upper()):
            return None
        if holds_card_number(f"{amount:f}"):
            return None
        return cls(amount=amount, code=currency.upper())

    def to_json(self) -> dict[str, Any]:
        """As Money is written, with as many decimals as were said, the currency's own at least."""
        return {"amount": self._plain, "code": self.code}

    def __str__(self) -> str:
        return f"{self._plain} {self.code}"

    @property
    def _plain(self) -> str:
        said = -int(self.amount.normalize().as_tuple().exponent)
        return f"{self.amount:.{max(said, _digits(self.code))}f}"


def _digits(code: str) -> int:
    try:
        return minor_digits(code)
    except ValueError:
        return 0
