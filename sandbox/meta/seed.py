"""Planting people, pages, customers and history."""

from typing import Any, Literal

from pydantic import Field

from sandbox.control import Order, Refused
from sandbox.meta.ids import FIRST_CUSTOMER, FIRST_PAGE, FIRST_PERSON
from sandbox.meta.state import FULL_TASKS, Customer, Message, Page, Person, World

SECOND_MS = 1000
MINUTE_SECONDS = 60
TWO_DAYS_SECONDS = 2 * 24 * 3600
CUSTOMERS_PER_PAGE = 10
PAGE_NAMES = ("Birch & Oak Interiors", "Harbour Street Bakery")
CUSTOMER_NAMES = (
    "Ann Marsh", "Zoë Lindqvist", "Peter Chang", "Łukasz Nowak", "Amara Okafor",
    "Jürgen Weiß", "Mei Tanaka", "Sofía Peña", "Omar Haddad", "Ingrid Ås",
    "Liam Byrne", "Chloé Dubois", "Ravi Menon", "Katya Orlova", "Noah Stein",
    "Yara Costa", "Elif Şahin", "Tom O'Neil", "Hana Kovář", "Ben Adler",
)  # fmt: skip


class PersonSeed(Order):
    """Somebody who can connect pages."""

    asid: str | None = Field(default=None, pattern=r"^\d+$")
    name: str


class PageSeed(Order):
    """A page; nobody named means that the first person has every task on it."""

    id: str | None = Field(default=None, pattern=r"^\d+$")
    name: str
    tasks: dict[str, list[str]] | None = None


class CustomerSeed(Order):
    """Somebody who writes to a page."""

    psid: str | None = Field(default=None, pattern=r"^\d+$")
    page_id: str
    first_name: str
    last_name: str = ""
    profile: Literal["full", "id_only", "refused"] = "full"
    blocked: bool = False


class LineSeed(Order):
    """One line of an old conversation."""

    by: Literal["customer", "page"] = "customer"
    text: str
    ago_seconds: float = Field(ge=0)


class ThreadSeed(Order):
    """An old conversation."""

    psid: str
    folder: str = "inbox"
    lines: list[LineSeed]


class SeedOrder(Order):
    """What to plant. With *history* every customer of the order gets so many old messages."""

    people: list[PersonSeed] = Field(default_factory=list)
    pages: list[PageSeed] = Field(default_factory=list)
    customers: list[CustomerSeed] = Field(default_factory=list)
    threads: list[ThreadSeed] = Field(default_factory=list)
    history: int = Field(default=0, ge=0, le=500)
    history_ago_seconds: float = Field(default=TWO_DAYS_SECONDS, ge=0)


def default_world(*, history: int = 0, history_ago_seconds: float = 0) -> SeedOrder:
    """Describe one person with two pages of ten customers each."""
    pages = [
        PageSeed(id=str(FIRST_PAGE + number), name=name) for number, name in enumerate(PAGE_NAMES)
    ]
    customers = []
    for number, name in enumerate(CUSTOMER_NAMES):
        first, _, last = name.partition(" ")
        page = pages[number // CUSTOMERS_PER_PAGE]
        psid = str(FIRST_CUSTOMER + number)
        customers.append(
            CustomerSeed(psid=psid, page_id=page.id or "", first_name=first, last_name=last)
        )
    return SeedOrder(
        people=[PersonSeed(asid=str(FIRST_PERSON), name="Ada Keller")],
        pages=pages,
        customers=customers,
        history=history,
        history_ago_seconds=history_ago_seconds,
    )


def plant(world: World, order: SeedOrder) -> dict[str, Any]:
    """Add what is described, or change it where the id exists, and list it."""
    people = [_person(world, seed) for seed in order.people]
    pages = [_page(world, seed) for seed in order.pages]
    customers = [_customer(world, seed) for seed in order.customers]
    for thread in order.threads:
        _thread(world, thread)
    for customer in customers:
        _history(world, customer, order)
    return {
        "people": [{"asid": person.asid, "name": person.name} for person in people],
        "pages": [{"id": page.id, "name": page.name} for page in pages],
        "customers": [
            {"psid": one.psid, "page_id": one.page_id, "name": one.name} for one in customers
        ],
    }


def _person(world: World, seed: PersonSeed) -> Person:
    asid = seed.asid or world.ids.person(taken=world.people)
    person = world.people.setdefault(asid, Person(asid, seed.name))
    person.name = seed.name
    return person


def _page(world: World, seed: PageSeed) -> Page:
    page_id = seed.id or world.ids.page(taken=world.pages)
    page = world.pages.setdefault(page_id, Page(page_id, seed.name))
    page.name, page.deleted = seed.name, False
    if seed.tasks is not None:
        page.tasks = dict(seed.tasks)
    elif not page.tasks and world.people:
        page.tasks = {next(iter(world.people)): list(FULL_TASKS)}
    return page


def _customer(world: World, seed: CustomerSeed) -> Customer:
    if seed.page_id not in world.pages:
        raise Refused(f"page {seed.page_id} does not exist; seed it first")
    psid = seed.psid or world.ids.customer(taken=world.customers)
    customer = world.customers.setdefault(
        psid, Customer(psid, seed.page_id, seed.first_name, seed.last_name)
    )
    customer.first_name, customer.last_name = seed.first_name, seed.last_name
    customer.profile, customer.blocked = seed.profile, seed.blocked
    return customer


def _thread(world: World, seed: ThreadSeed) -> None:
    customer = world.customers.get(seed.psid)
    if customer is None:
        raise Refused(f"customer {seed.psid} does not exist; seed them first")
    world.thread_of(customer).folder = seed.folder
    for line in seed.lines:
        by_page = line.by == "page"
        _line(world, customer, text=line.text, by_page=by_page, ago_seconds=line.ago_seconds)


def _history(world: World, customer: Customer, order: SeedOrder) -> None:
    for number in range(order.history):
        left = order.history - number - 1
        _line(
            world,
            customer,
            text=f"old message {number + 1} of {order.history}",
            by_page=number % 2 == 1,
            ago_seconds=order.history_ago_seconds + left * MINUTE_SECONDS,
        )


def _line(
    world: World, customer: Customer, *, text: str, by_page: bool, ago_seconds: float
) -> None:
    at_ms = world.clock.milliseconds() - int(ago_seconds * SECOND_MS)
    world.keep(Message(world.ids.mid(), by_page, text, at_ms), customer=customer)
    if not by_page:
        customer.opened_ms = max(customer.opened_ms, at_ms)
