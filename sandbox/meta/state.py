"""Everything the stand-in remembers: people, pages, tokens, threads, subscriptions."""

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from sandbox.clock import Clock
from sandbox.meta.config import MetaConfig, Switches
from sandbox.meta.errors import no_such_object
from sandbox.meta.ids import Ids

FULL_TASKS = ("ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE")
APP_FIELDS = frozenset(
    {
        "messages",
        "message_echoes",
        "message_deliveries",
        "message_reads",
        "message_reactions",
        "message_edits",
        "messaging_postbacks",
        "messaging_referrals",
        "messaging_optins",
        "messaging_handovers",
        "messaging_policy_enforcement",
        "standby",
    }
)
ROLE_LOST = 492
NOT_INSTALLED = 458

TokenKind = Literal["USER", "SYSTEM_USER", "PAGE"]


@dataclass(slots=True)
class Person:
    """Somebody with a Facebook account who may connect pages."""

    asid: str
    name: str
    permissions: dict[str, str] = field(default_factory=dict)

    def granted(self) -> set[str]:
        """Return the permissions the app holds from this person."""
        return {name for name, status in self.permissions.items() if status == "granted"}


@dataclass(slots=True)
class Page:
    """A Facebook page and what each person may do on it."""

    id: str
    name: str
    tasks: dict[str, list[str]] = field(default_factory=dict)
    subscribed: frozenset[str] | None = None
    failures: int = 0
    deleted: bool = False


@dataclass(slots=True)
class Token:
    """An access token; *expires_at* is in seconds, 0 means never."""

    value: str
    kind: TokenKind
    asid: str
    page_id: str | None
    issued_at: int
    expires_at: int
    long_lived: bool
    dead_subcode: int | None = None


@dataclass(slots=True)
class Code:
    """An authorization code."""

    asid: str
    redirect_uri: str
    issued_at: int
    used: bool = False


@dataclass(slots=True)
class Customer:
    """Somebody who writes to a page; the page-scoped id belongs to that page only."""

    psid: str
    page_id: str
    first_name: str
    last_name: str
    profile: Literal["full", "id_only", "refused"] = "full"
    blocked: bool = False
    opened_ms: int = 0

    @property
    def name(self) -> str:
        """Return the name a conversation shows."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was handed over for sending."""

    id: str
    page_id: str
    kind: str
    mime_type: str
    size: int
    sha256: str


@dataclass(slots=True)
class Message:
    """One message of a thread."""

    mid: str
    from_page: bool
    text: str | None
    created_ms: int
    attachments: list[dict[str, Any]] = field(default_factory=list)
    reply_to: str | None = None
    deleted: bool = False
    edits: int = 0


@dataclass(slots=True)
class Thread:
    """The conversation of one customer with one page; messages oldest first."""

    id: str
    page_id: str
    psid: str
    folder: str = "inbox"
    unread: int = 0
    updated_ms: int = 0
    messages: list[Message] = field(default_factory=list)

    def add(self, message: Message) -> None:
        """Append *message*; history may come late, so the order is by time."""
        late = bool(self.messages) and message.created_ms < self.messages[-1].created_ms
        self.messages.append(message)
        if late:
            self.messages.sort(key=lambda item: item.created_ms)
        self.updated_ms = max(self.updated_ms, message.created_ms)
        self.unread = 0 if message.from_page else self.unread + 1


@dataclass(slots=True)
class AppSubscription:
    """The webhook as the dashboard or `/{app}/subscriptions` set it."""

    callback_url: str
    verify_token: str
    fields: frozenset[str]
    verified: bool = False


@dataclass(slots=True)
class World:
    """All state, and the look-ups that fail the way Graph fails."""

    config: MetaConfig
    clock: Clock
    ids: Ids
    switches: Switches = field(default_factory=Switches)
    people: dict[str, Person] = field(default_factory=dict)
    pages: dict[str, Page] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)
    threads: dict[str, Thread] = field(default_factory=dict)
    threads_by_psid: dict[str, Thread] = field(default_factory=dict)
    threads_by_mid: dict[str, Thread] = field(default_factory=dict)
    sent: list[dict[str, Any]] = field(default_factory=list)
    uploads: dict[str, Upload] = field(default_factory=dict)
    actions: list[dict[str, Any]] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    app: AppSubscription | None = None

    def __post_init__(self) -> None:
        """Configure the webhook as the dashboard would."""
        if self.config.callback_url is not None:
            self.app = AppSubscription(
                callback_url=str(self.config.callback_url),
                verify_token=self.config.verify_token,
                fields=APP_FIELDS,
            )

    def clear(self) -> None:
        """Empty the world; the app stays configured and ids go on."""
        self.ids.reset()
        fresh = World(config=self.config, clock=self.clock, ids=self.ids)
        for item in fields(self):
            setattr(self, item.name, getattr(fresh, item.name))

    def page(self, page_id: str) -> Page:
        """Return a page that exists."""
        page = self.pages.get(page_id)
        if page is None or page.deleted:
            raise no_such_object(page_id)
        return page

    def customer(self, psid: str, *, page_id: str) -> Customer | None:
        """Return a customer of that page."""
        customer = self.customers.get(psid)
        return customer if customer is not None and customer.page_id == page_id else None

    def thread_of(self, customer: Customer) -> Thread:
        """Return the customer's thread, opened if need be."""
        thread = self.threads_by_psid.get(customer.psid)
        if thread is None:
            thread = Thread(self.ids.thread(), customer.page_id, customer.psid)
            self.threads[thread.id] = thread
            self.threads_by_psid[customer.psid] = thread
        return thread

    def keep(self, message: Message, *, customer: Customer) -> Message:
        """File *message* in the customer's thread."""
        thread = self.thread_of(customer)
        thread.add(message)
        self.threads_by_mid[message.mid] = thread
        return message

    def find_message(self, mid: str) -> tuple[Thread, Message]:
        """Return a message and its thread."""
        thread = self.threads_by_mid.get(mid)
        for message in thread.messages if thread is not None else ():
            if thread is not None and message.mid == mid:
                return thread, message
        raise no_such_object(mid)

    def page_subscription(self, page_id: str) -> frozenset[str]:
        """Return the fields that are delivered: those set at both levels."""
        page = self.pages.get(page_id)
        if page is None or page.deleted or page.subscribed is None or self.app is None:
            return frozenset()
        return page.subscribed & self.app.fields

    def kill_tokens(
        self, subcode: int, *, asid: str | None = None, page_id: str | None = None
    ) -> int:
        """Invalidate the living tokens that match and return how many."""
        dying = [
            token
            for token in self.tokens.values()
            if token.dead_subcode is None
            and (asid is None or token.asid == asid)
            and (page_id is None or token.page_id == page_id)
        ]
        for token in dying:
            token.dead_subcode = subcode
        return len(dying)

    def uninstall(self, person: Person) -> None:
        """Remove the app from a person's account."""
        person.permissions.clear()
        self.kill_tokens(NOT_INSTALLED, asid=person.asid)


def require_person(world: World, asid: str) -> Person:
    """Return a person that exists."""
    person = world.people.get(asid)
    if person is None:
        raise no_such_object(asid)
    return person
