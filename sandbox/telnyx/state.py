"""Accounts and what they own."""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox.clock import Clock
from sandbox.telnyx.config import AccountOrder, Switches, TelnyxConfig
from sandbox.telnyx.errors import not_found

Resource = dict[str, Any]
# Telnyx's decimal ids are larger than 2^53: whoever reads them as numbers loses digits.
FIRST_DECIMAL = 1293384261075731499


@dataclass(slots=True)
class Account:
    """One customer of Telnyx: its key, its signing key, its things by kind and id."""

    api_key: str
    signing: Ed25519PrivateKey
    organization: str
    balance: str
    numbers: dict[str, Resource] = field(default_factory=dict)
    things: dict[str, dict[str, Resource]] = field(default_factory=dict)
    messages: dict[str, Resource] = field(default_factory=dict)
    calls: dict[str, Resource] = field(default_factory=dict)
    records: list[Resource] = field(default_factory=list)
    opt_outs: dict[tuple[str, str], Resource] = field(default_factory=dict)
    answered: dict[str, tuple[str, bytes, Resource]] = field(default_factory=dict)
    commands: dict[tuple[str, str], float] = field(default_factory=dict)
    revoked: bool = False
    suspended: bool = False

    @property
    def public_key(self) -> str:
        """Write the public half as the portal shows it."""
        raw = self.signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.b64encode(raw).decode()

    def of(self, kind: str) -> dict[str, Resource]:
        """Return the things of one kind: messaging_profiles, call_control_applications, ..."""
        return self.things.setdefault(kind, {})

    def thing(self, kind: str, identity: str) -> Resource:
        """Return one thing, or say 404."""
        found = self.of(kind).get(identity)
        if found is None:
            raise not_found()
        return found

    def number(self, phone: str) -> Resource | None:
        """Return the number *phone* when the account owns it."""
        owned = (one for one in self.numbers.values() if one["phone_number"] == phone)
        return next(owned, None)


class World:
    """All accounts."""

    def __init__(self, config: TelnyxConfig, *, clock: Clock) -> None:
        self.config = config
        self.media_url = config.media_url
        self.clock = clock
        self.accounts: dict[str, Account] = {}
        self.switches = Switches()
        self._era = 0
        self._number = count(1)

    def clear(self) -> None:
        """Forget every account; no id of before comes again."""
        self.accounts.clear()
        self.switches = Switches()
        self._era += 1

    def digest(self, kind: str) -> bytes:
        """Return 32 bytes that differ each time and repeat in every run."""
        text = f"{self.config.seed}:{self._era}:{kind}:{next(self._number)}"
        return hashlib.sha256(text.encode()).digest()

    def uuid(self) -> str:
        """Return the next id of the kind that messages and events have."""
        return str(UUID(bytes=self.digest("uuid")[:16], version=4))

    def decimal(self) -> str:
        """Return the next id of the kind that numbers and applications have."""
        return str(FIRST_DECIMAL + int.from_bytes(self.digest("decimal")[:4]))

    def now(self) -> datetime:
        """Return the time on the sandbox's clock."""
        return datetime.fromtimestamp(self.clock.milliseconds() / 1000, UTC)

    def stamp(self) -> str:
        """Write the time as Telnyx does in payloads."""
        return self.now().isoformat(timespec="milliseconds")

    def open(self, order: AccountOrder) -> Account:
        """Open an account and give it its numbers."""
        account = Account(
            api_key="KEY" + self.digest("key").hex()[:48],
            signing=Ed25519PrivateKey.from_private_bytes(self.digest("signing")),
            organization=self.uuid(),
            balance=order.balance,
        )
        for phone in order.numbers:
            self.give(account, phone, country=order.country)
        self.accounts[account.api_key] = account
        return account

    def give(self, account: Account, phone: str, *, country: str = "CA") -> Resource:
        """Give a number to an account."""
        number: Resource = {
            "id": self.decimal(),
            "record_type": "phone_number",
            "phone_number": phone,
            "status": "active",
            "phone_number_type": "local",
            "country_iso_alpha2": country,
            "connection_id": None,
            "connection_name": None,
            "messaging_profile_id": None,
            "messaging_profile_name": None,
            "customer_reference": None,
            "tags": [],
            "purchased_at": self.stamp(),
            "created_at": self.stamp(),
        }
        account.numbers[number["id"]] = number
        return number

    def owner_of(self, phone: str) -> Account | None:
        """Return the account that owns a number."""
        owners = (one for one in self.accounts.values() if one.number(phone))
        return next(owners, None)

    def leg(self, control_id: str) -> tuple[Account, Resource] | None:
        """Return a call leg and whose it is."""
        for account in self.accounts.values():
            if control_id in account.calls:
                return account, account.calls[control_id]
        return None
