"""How each store wants its trips paid, where a trip does not say so itself."""

from typing import Any

from pydantic import Field
from pydantic.alias_generators import to_camel

from domain.model import Identifier, StrictModel
from domain.order import Entry
from domain.policy import Orchestrator, Policy, ReceiptIssuer
from domain.trip.request import MerchantName

MAX_STORES_BYTES = 10_000_000
"""Of the file that holds them: a table of ten lines for each of 20,000 stores has 5 MB."""


class StoreSettings(StrictModel):
    """What a store says of all its trips."""

    payment: Orchestrator | None = None
    merchant: MerchantName | None = None
    receipt: ReceiptIssuer | None = None
    charge: tuple[Entry, ...] | None = None
    policy: Policy | None = None

    def to_json(self) -> dict[str, Any]:
        """What the store said, and no default: that is what a trip's input is filled with."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class Stores(StrictModel):
    """What each store says of its trips, and what all of them get where it says nothing."""

    default: StoreSettings = StoreSettings()
    stores: dict[Identifier, StoreSettings] = Field(default_factory=dict)

    def fill(self, trip: Any) -> Any:
        """A trip's input with what it does not say itself: its store's word, else the default, attribute by attribute.

        An input that names no store is given back as it is: it is refused when it is read.
        """
        if not isinstance(trip, dict):
            return trip
        return _filled(trip, self.settings_for(trip.get("storeId", trip.get("store_id"))))

    def settings_for(self, store: Any) -> dict[str, Any]:
        """What the store says, and the default where it says nothing."""
        own = self.stores.get(store) if isinstance(store, str) else None
        return _filled(own.to_json() if own else {}, self.default.to_json())


def _filled(own: dict[str, Any], wishes: dict[str, Any]) -> dict[str, Any]:
    """What stands in `own`, in either spelling, wins, null apart; tables are filled in their turn."""
    filled = {name: said for name, said in own.items() if said is not None}
    spelled = {to_camel(name): name for name in filled}
    for name, wish in wishes.items():
        said = filled.get(spelled.get(name, name))
        if name not in spelled:
            filled[name] = wish
        elif isinstance(said, dict) and isinstance(wish, dict):
            filled[spelled[name]] = _filled(said, wish)
    return filled
