"""Encrypts what Temporal stores, for those who switch it on with PAYLOAD_KEYS: the server then sees only ciphertext."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

ENCODING = b"binary/encrypted"


class UnreadablePayloadError(Exception):
    """A payload is encrypted, no key of ours fits, and nothing but its contents will do."""


class EncryptionCodec(PayloadCodec):
    """Encrypts with the first key and decrypts with any, so that keys can be changed while trips are under way.

    What is not encrypted is left as it is: the codec can be switched on while trips are under way, too. What can't be
    decrypted is left as it is as well. The SDK decodes all that a workflow task brings at once: one message that
    raised here would stop its trip, timers and all. What an encrypted payload means is said by who reads it: a message
    is refused, a start or a result waits for a worker with the key (temporal/payload_converter.py).
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
        """Decrypt what is encrypted and can be decrypted."""
        return [self._decrypted(payload) for payload in payloads]

    def _decrypted(self, payload: Payload) -> Payload:
        if self._fernet is None or payload.metadata.get("encoding") != ENCODING:
            return payload
        try:
            return Payload.FromString(self._fernet.decrypt(payload.data))
        except (InvalidToken, DecodeError):
            return payload
