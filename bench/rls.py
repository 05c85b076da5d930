"""What row-level security costs: each hot query beside the same one past the policies.

1,000 organizations of very unequal size, 20,000 people, 1 M messages, and the same with 100 k. A
sample is a request as PostgREST makes it: begin, role and claims, query, commit. Samples are
interleaved: with policies, without, and with policies on the small database.
"""

from __future__ import annotations

import json
import statistics
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg

from bench.cluster import durable_cluster
from bench.results import Row
from tests.crowd import Place, load
from tests.database import url_as

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.database import TestCluster

ORGS, USERS = 1_000, 20_000
MESSAGES, FEW = 1_000_000, 100_000
SAMPLES = 400
WARM = 20
LOOKS = 5
WHOLE_THREADS = 100  # messages
PLACES = (0, 1, 2, 5, 20, 60, 150, 400, 700, 950)  # from 13 % of all messages to 0.014 %
MOST = 6  # pages: the goal for any statement
LIMITS = {"list": 1.3, "point": 1.6}
WHOLE, FLAT, FLAT_PAGES = 1.25, 1.3, 3
# Nobody acts as it outside this benchmark: it passes by the policies as the operator does.
BARE = "bench_bare"


@dataclass(frozen=True, slots=True)
class Query:
    """One hot query; {and_org} is where the bare role says what the policy says.

    Each asks the helper once, at two pages. An update that reads what it changes is checked by the
    policies of select and update, before and after, the latter in the same words: three questions.
    """

    name: str
    text: str
    kind: str
    role: str = "authenticated"
    flat: bool = True


QUERIES = (
    Query(
        "latest 50 of a conversation",
        "select id, direction, state, body, occurred_at from public.messages"
        " where conversation_id = %(thread)s{and_org} order by occurred_at desc, id desc limit 50",
        "list",
    ),
    Query(
        "50 conversations",
        "select id, contact_external_id, last_message_at, unread_count from public.conversations"
        " where status = 'open'{and_org} order by last_message_at desc, id limit 50",
        "list",
    ),
    Query(
        "deep page of conversations",
        "select id, contact_external_id, last_message_at, unread_count from public.conversations"
        " where last_message_at < now() - interval '2 hours'{and_org}"
        " order by last_message_at desc, id limit 50",
        "list",
    ),
    Query(
        "count of the organization",
        "select count(*) from public.messages{where_org}",
        "list",
        flat=False,
    ),
    Query(
        "message by id",
        "select id, body, state from public.messages where id = %(message)s{and_org}",
        "point",
    ),
    Query(
        "update a conversation",
        "update public.conversations set status = 'open' where id = %(thread)s{and_org}",
        "point",
    ),
    Query(
        "insert a task",
        "insert into public.tasks (org_id, title) values (%(org)s, 'Call back')",
        "point",
    ),
    Query(
        "insert a message (worker)",
        "insert into public.messages (org_id, provider, channel_id, conversation_id, direction,"
        " state, body, external_id, origin) values (%(org)s, 'meta', %(channel)s, %(thread)s,"
        " 'inbound', 'received', 'Hello', gen_random_uuid(), 'webhook')",
        "point",
        role="worker_meta",
    ),
)


@dataclass
class Site:
    """One database with a crowd in it, and a connection that plays both roles."""

    db: psycopg.Connection[Any]
    places: list[Place]
    leases: list[tuple[int, str]] = field(default_factory=list)

    def settings(self, query: Query, index: int, *, bare: bool) -> list[Any]:
        """Return what a request sets first: role, claims, headers, and the worker's lease."""
        place = self.places[index]
        job, lease = self.leases[index] if query.role == "worker_meta" else ("", "")
        claims = {"sub": str(place.person), "role": "authenticated"}
        headers = {"x-connext-org": str(place.org)}
        role = BARE if bare else query.role
        return [role, json.dumps(claims), json.dumps(headers), str(job), str(lease)]

    def values(self, index: int) -> dict[str, Any]:
        """Return the parameters of a query."""
        place = self.places[index]
        return {
            "org": place.org,
            "thread": place.thread,
            "message": place.message,
            "channel": place.channel,
        }

    @contextmanager
    def request(self, query: Query, index: int, *, bare: bool) -> Iterator[None]:
        """Begin, say who asks, run the block, commit."""
        with self.db.transaction():
            self.db.execute(BEGIN, self.settings(query, index, bare=bare), prepare=True)
            yield

    def sample(self, query: Query, index: int, *, bare: bool) -> tuple[float, float]:
        """Make one request; return milliseconds of the query alone and of everything."""
        text, values = worded(query, bare=bare), self.values(index)
        started = time.perf_counter()
        with self.request(query, index, bare=bare):
            asked = time.perf_counter()
            self.db.execute(text, values, prepare=True)
            answered = time.perf_counter()
        done = time.perf_counter()
        return (answered - asked) * 1000, (done - started) * 1000

    def buffers(self, query: Query, index: int, *, bare: bool) -> int:
        """Return the pages the query looks at, once they are all in memory."""
        text = "explain (analyze, buffers, format json) " + worded(query, bare=bare)
        seen = []
        for _ in range(LOOKS):
            with self.request(query, index, bare=bare):
                row = self.db.execute(text, self.values(index), prepare=True).fetchone()
            plan = row[0][0]["Plan"] if row else {}
            seen.append(int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]))
        return min(seen)  # a split page or a fresh visibility map now and then is not the query's


BEGIN = """
    select set_config('role', %s, true), set_config('request.jwt.claims', %s, true),
        set_config('request.headers', %s, true), set_config('connext.job', %s, true),
        set_config('connext.lease', %s, true)
"""


def worded(query: Query, *, bare: bool) -> str:
    """Write the query as one of the roles sends it."""
    return query.text.format(
        and_org=" and org_id = %(org)s" if bare else "",
        where_org=" where org_id = %(org)s" if bare else "",
    )


def build(cluster: TestCluster, template: str, messages: int, stack: ExitStack) -> Site:
    """Load a database and lease a job for each place's worker."""
    url = cluster.url(cluster.create(template, "rls"))
    with psycopg.connect(url_as(url, "supabase_admin"), autocommit=True) as admin:
        places = load(admin, orgs=ORGS, messages=messages, users=USERS)
        if admin.execute("select to_regrole(%s)", [BARE]).fetchone() == (None,):
            admin.execute(f"create role {BARE} nologin bypassrls")
        admin.execute(f"grant {BARE}, worker_meta, authenticated to postgres with set true")
        admin.execute(f"grant usage on schema public, private, auth to {BARE}")
        admin.execute(f"grant select, insert, update on all tables in schema public to {BARE}")
        for function in ("private.uuid_v7()", "private.is_importing()"):
            admin.execute(f"grant execute on function {function} to {BARE}")
    site = Site(
        stack.enter_context(psycopg.connect(url, autocommit=True)), [places[i] for i in PLACES]
    )
    for place in site.places:
        site.db.execute("select queue.enqueue('meta', 'meta.bench', %s)", [place.org])
        row = site.db.execute("select id, lease from queue.claim('meta', 1, '6 hours')").fetchone()
        if row is None:
            raise RuntimeError("the job that was just enqueued could not be claimed")
        site.leases.append((row[0], str(row[1])))
    return site


def measure(query: Query, plans: str, large: Site, small: Site, samples: int) -> list[Row]:
    """Take the samples of one query, and its buffers, and judge them."""
    subjects = {"with": (large, False), "without": (large, True), "few": (small, False)}
    alone: dict[str, list[float]] = {name: [] for name in subjects}
    whole: dict[str, list[float]] = {name: [] for name in subjects}
    for number in range(samples + WARM):
        order = list(subjects) if number % 2 else list(reversed(subjects))
        for name in order:
            site, bare = subjects[name]
            spent = site.sample(query, number % len(PLACES), bare=bare)
            if number >= WARM:
                alone[name].append(spent[0])
                whole[name].append(spent[1])
    pages = {
        name: [site.buffers(query, index, bare=bare) for index in range(len(PLACES))]
        for name, (site, bare) in (subjects | {"bare few": (small, True)}).items()
    }
    title = f"{query.name}, {plans}"
    mid = {name: statistics.median(times) for name, times in alone.items()}
    everything = {name: statistics.median(times) for name, times in whole.items()}
    rows = [
        _more_pages(f"{title}: pages", pages["with"], pages["without"], MOST),
        _ratio(f"{title}: alone", mid["with"], mid["without"], LIMITS[query.kind]),
        _ratio(f"{title}: request", everything["with"], everything["without"], WHOLE),
    ]
    if query.flat:
        rows.append(_ratio(f"{title}: 1 M against 100 k", mid["with"], mid["few"], FLAT))
        # A place with less than one whole thread in the small database reads less there. And
        # fifty rows lie on more pages of a larger table, with policies as without: not theirs.
        alike = [i for i, place in enumerate(small.places) if place.messages >= WHOLE_THREADS]
        rows.append(
            _more_pages(
                f"{title}: pages, 1 M",
                [pages["with"][i] for i in alike],
                [
                    pages["few"][i] + max(0, pages["without"][i] - pages["bare few"][i])
                    for i in alike
                ],
                FLAT_PAGES,
            )
        )
    return rows


def _ratio(name: str, value: float, baseline: float, goal: float) -> Row:
    ratio = value / baseline
    return Row(name, value, "ms", f"ratio <= {goal:g}", ratio <= goal, baseline, ratio)


def _more_pages(name: str, these: list[int], those: list[int], more: int) -> Row:
    """Judge the place where the difference is largest."""
    value, baseline = max(zip(these, those, strict=True), key=lambda pair: pair[0] - pair[1])
    reached = value - baseline <= more
    return Row(name, value, "pages", f"<= baseline + {more}", reached, baseline)


def run(*, quick: bool) -> list[Row]:
    """Measure every query with the plans PostgreSQL chooses, then with generic ones."""
    shrink, samples = (20, 60) if quick else (1, SAMPLES)
    rows: list[Row] = []
    with durable_cluster() as cluster, ExitStack() as stack:
        template = cluster.build_template()
        large = build(cluster, template, MESSAGES // shrink, stack)
        small = build(cluster, template, FEW // shrink, stack)
        for plans, mode in (("auto", "auto"), ("generic", "force_generic_plan")):
            for site in (large, small):
                site.db.execute(f"set plan_cache_mode = {mode}")
            for query in QUERIES:
                rows += measure(query, plans, large, small, samples)
    return rows
