"""Amounts of money: never a float inside, as many decimals as ISO 4217 gives the currency (docs/payments.md, Money)."""

from decimal import ROUND_DOWN, Decimal
from functools import cache
from typing import Any, Self

from iso4217 import Currency
from pydantic import AfterValidator, field_serializer, field_validator, model_validator

from domain.model import Model

NO_CURRENCY = "XXX"
"""ISO 4217's code for "no currency": the total of a trip that never said in which one it would pay."""

MAX_DIGITS = 15
"""A JSON number is read as a double by half of the world; up to 15 digits it keeps every one of them."""


MAX_NUMBER_LENGTH = 25
"""Of an amount as it is written, below the 28 digits that Decimal computes with."""

WIRE_DECIMALS = 2
"""The Payment Service reads at most two decimals (docs/contract.md, Fields), fewer than KWD has."""

TOO_LONG = f"should have no more than {MAX_DIGITS} digits"
NOT_A_CURRENCY = "not a currency of ISO 4217 (three capital letters, such as USD)"
NOT_A_NUMBER = 'should be a decimal string such as "42.10", or a number'


class CurrencyMismatchError(ValueError):
    """Two amounts that don't share a currency were compared, added or subtracted."""


@cache
def minor_digits(code: str) -> int:
    """How many decimals the currency has (JPY 0, USD 2, KWD 3).

    Raises ValueError for a code that ISO 4217 does not list.
    """
    if code == NO_CURRENCY:
        return 0
    try:
        exponent = Currency(code).exponent
    except ValueError:
        raise ValueError(NOT_A_CURRENCY) from None
    if exponent is None:
        raise ValueError("not money that a card can be charged in")
    return int(exponent)


def plain_amount(units: int, code: str) -> str:
    """So many minor units as a plain decimal with the currency's own digits; a difference may be below zero."""
    return f"{Decimal(units).scaleb(-minor_digits(code)):f}"


def read_decimal(value: Any) -> Decimal:
    """A decimal string, or a JSON number by its shortest decimal form: what was written, not its binary twin.

    Raises ValueError.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError(NOT_A_NUMBER)  # noqa: TRY004 (pydantic reads ValueError)
    if isinstance(value, float):
        value = Decimal(str(value))
    if isinstance(value, Decimal) and abs(value.adjusted()) > MAX_NUMBER_LENGTH:
        raise ValueError(TOO_LONG)
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    if len(text) > MAX_NUMBER_LENGTH:
        raise ValueError(TOO_LONG)
    if not text.isascii() or not text.replace(".", "", 1).removeprefix("-").isdigit() or text.endswith("."):
        raise ValueError(NOT_A_NUMBER)
    number = Decimal(text)
    return number or abs(number)  # -0.00 is nothing, too


class Money(Model):
    """An amount in a currency, zero or more: `{"amount": "42.10", "code": "USD"}` outside, a Decimal inside."""

    amount: Decimal
    code: str

    @field_validator("code", mode="before")
    @classmethod
    def _known_currency(cls, code: Any) -> Any:
        if not isinstance(code, str):
            raise ValueError("should be a currency's code, such as USD")  # noqa: TRY004 (pydantic reads ValueError)
        minor_digits(code)
        return code

    @field_validator("amount", mode="before")
    @classmethod
    def _plain_number(cls, amount: Any) -> Any:
        return read_decimal(amount)

    @model_validator(mode="after")
    def _fits_the_currency(self) -> Self:
        digits = minor_digits(self.code)
        if self.amount < 0:
            raise ValueError("amount: is less than zero")
        if (
            self.amount != self.amount.quantize(Decimal(1))
            and -int(self.amount.normalize().as_tuple().exponent) > digits
        ):
            raise ValueError(f"amount: has too many decimals: {self.code} has {digits}")
        if self.minor_units >= 10**MAX_DIGITS:
            raise ValueError(f"amount: has more than {MAX_DIGITS} digits")
        return self

    @field_serializer("amount")
    def _with_the_currencys_digits(self, amount: Decimal) -> str:
        return f"{amount:.{minor_digits(self.code)}f}"

    @classmethod
    def of_minor(cls, units: int, code: str) -> "Money":
        """So many of the currency's minor units: `of_minor(4210, "USD")` is 42.10 USD."""
        return cls(amount=Decimal(units).scaleb(-minor_digits(code)), code=code)

    @classmethod
    def zero(cls, code: str) -> "Money":
        """Nothing, in that currency."""
        return cls.of_minor(0, code)

    @property
    def minor_units(self) -> int:
        """The amount in the currency's minor units: cents for USD, yen for JPY, fils for KWD."""
        return int(self.amount.scaleb(minor_digits(self.code)))

    def times(self, factor: Decimal, *, rounding: str = ROUND_DOWN) -> "Money":
        """The amount times the factor, rounded to the minor unit, down unless told otherwise."""
        return Money.of_minor(int((self.minor_units * factor).to_integral_value(rounding)), self.code)

    @property
    def rounded_to_wire(self) -> "Money":
        """The amount, rounded down to the decimals that the Payment Service reads."""
        step = 10 ** max(0, minor_digits(self.code) - WIRE_DECIMALS)
        return Money.of_minor(self.minor_units // step * step, self.code)

    def __bool__(self) -> bool:
        return self.amount != 0

    def __str__(self) -> str:
        plain = self._with_the_currencys_digits(self.amount)
        return plain if self.code == NO_CURRENCY else f"{plain} {self.code}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and (self.minor_units, self.code) == (other.minor_units, other.code)

    def __hash__(self) -> int:
        return hash((self.minor_units, self.code))

    def __add__(self, other: "Money") -> "Money":
        return Money.of_minor(self.minor_units + self._like(other).minor_units, self.code)

    def __sub__(self, other: "Money") -> "Money":
        return Money.of_minor(self.minor_units - self._like(other).minor_units, self.code)

    def __lt__(self, other: "Money") -> bool:
        return self.minor_units < self._like(other).minor_units

    def __le__(self, other: "Money") -> bool:
        return self.minor_units <= self._like(other).minor_units

    def __gt__(self, other: "Money") -> bool:
        return self.minor_units > self._like(other).minor_units

    def __ge__(self, other: "Money") -> bool:
        return self.minor_units >= self._like(other).minor_units

    def _like(self, other: "Money") -> "Money":
        if other.code != self.code:
            raise CurrencyMismatchError(f"{self} and {other} are of different currencies")
        return other


def check_wire_precision(money: Money) -> Money:
    """The amount as it is. Raises ValueError where the Payment Service can't read all of it."""
    if money != money.rounded_to_wire:
        raise ValueError(f"should have at most {WIRE_DECIMALS} decimals: the Payment Service reads no more")
    return money


def _in_a_currency(money: Money) -> Money:
    if money.code == NO_CURRENCY:
        raise ValueError(f"code: {NO_CURRENCY} is no currency that a card can be charged in")
    return money


in_a_currency = AfterValidator(_in_a_currency)
"""Of money that a message brings: NO_CURRENCY is ours alone, for the total of a trip that never had one."""
