"""Encrypts what Temporal stores, for those who switch it on with PAYLOAD_KEYS: the server then sees only ciphertext."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

ENCODING = b"binary/encrypted"


class UnreadablePayload(Exception):
    """A payload is encrypted, and no key of ours fits."""


class EncryptionCodec(PayloadCodec):
    """Encrypts with the first key and decrypts with any, so that keys can be changed while trips are under way.

    What is not encrypted is left as it is: the codec can be switched on while trips are under way, too. Without a key
    nothing is encrypted, and what is can't be read: a workflow task then fails until a worker with the key takes it,
    where a trip that was handed ciphertext for its start would end for good.
    """

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys]) if keys else None

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt each payload, its metadata with it."""
        if self._fernet is None:
            return list(payloads)
        return [
            Payload(metadata={"encoding": ENCODING}, data=self._fernet.encrypt(payload.SerializeToString()))
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt what is encrypted. Raises UnreadablePayload where no key fits."""
        return [self._decrypted(payload) for payload in payloads]

    def _decrypted(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        if self._fernet is None:
            raise UnreadablePayload("PAYLOAD_KEYS: not set, and a stored payload is encrypted")
        try:
            return Payload.FromString(self._fernet.decrypt(payload.data))
        except InvalidToken:
            raise UnreadablePayload("PAYLOAD_KEYS: none of the keys fits a stored payload") from None
