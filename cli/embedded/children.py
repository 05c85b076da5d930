"""Which processes a stack consists of beside the database, and what each may know.

A process gets the address of its own role and the secrets of its own purpose, nothing more.
"""

from __future__ import annotations

import os
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg

from cli import signing
from cli.embedded import packages, project
from cli.embedded.cluster import SUPERUSER, dsn
from cli.embedded.errors import StackError
from cli.embedded.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from cli.embedded.folder import DataFolder

GRAPH_VERSION = "v26.0"
RECEIVES_META = "/webhooks/meta"
RECEIVES_STRIPE = "/webhooks/stripe"
PLACES = "/google"  # where the sandbox plays Google, apart from other vendors' paths
# What the local stack sells: the sandbox has the prices, the database the plans.
SOLD = {"id": "price_local_pro", "unit_amount": 4900, "currency": "cad", "interval": "month"}
RECEIVES_TELNYX = "/webhooks/telnyx"
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "CONNEXT_LOG_LEVEL")


@dataclass(frozen=True)
class Child:
    """One process: how it starts, and the address that answers once it serves."""

    name: str
    command: list[str]
    ready_url: str
    environment: dict[str, str] = field(default_factory=dict)

    def is_ready(self) -> bool:
        """Ask whether it serves."""
        request = urllib.request.Request(self.ready_url)  # noqa: S310  # http on loopback
        # Without proxies: the environment's would be asked for 127.0.0.1 too.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=2) as answer:
                return bool(answer.status < 400)  # noqa: PLR2004  # HTTP: below is no error
        except OSError:
            return False


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before anything starts: folder, ports and secrets."""

    folder: DataFolder
    ports: dict[str, int]
    secrets: dict[str, Any]
    site_url: str

    def url(self, name: str) -> str:
        """Write the address of one of our HTTP servers."""
        return f"http://{HOST}:{self.ports[name]}"

    def database(self, role: str) -> str:
        """Write the database's address for one role."""
        return dsn(self.ports["database"], role, self.secrets["passwords"][role])

    def status(self, state: str, processes: dict[str, str]) -> dict[str, Any]:
        """Describe the stack as `connext status --json` prints it."""
        return {
            "state": state,
            "database_url": self.database("postgres"),
            "api_url": self.url("api"),
            "publishable_key": self.secrets["publishable_key"],
            "secret_key": self.secrets["secret_key"],
            "receiver_url": self.url("receiver"),
            "sandbox_url": self.url("sandbox"),
            "data_dir": str(self.folder.path),
            "pids": {name: int(who.partition(":")[0]) for name, who in processes.items()},
            "admin_database_url": self.database(SUPERUSER),
            "jwt_secret": self.secrets["jwt_secret"],
            "worker_urls": {role: self.database(role) for role in project.WORKER_ROLES},
            "sealing_keys": str(self.folder.keys),
            "ports": self.ports,
            "processes": processes,
        }


def environment(**own: str) -> dict[str, str]:
    """Start from the little that a process needs of ours, and add what is its own."""
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    paths = [str(packages.REPOSITORY), os.environ.get("PYTHONPATH", "")]
    return kept | {"PYTHONPATH": os.pathsep.join(filter(None, paths)), **own}


def _connext(*words: str) -> list[str]:
    return [sys.executable, "-c", "from cli.main import run; run()", *words]


def api(plan: Plan) -> Child:
    """Describe the server of Auth, REST and Storage."""
    config = plan.folder.path / "api.json"
    content = project.api_config(
        plan.database(SUPERUSER), plan.ports["api"], plan.secrets, plan.folder.path,
        packages.REPOSITORY,
    )  # fmt: skip
    project.write_private(config, content)
    return Child("api", project.server_command(config), f"{plan.url('api')}/healthz", environment())


def sandbox(plan: Plan) -> Child:
    """Describe the stand-in for the vendors."""
    config = plan.folder.path / "sandbox.json"
    meta = {
        **plan.secrets["meta"],
        "callback_url": plan.url("receiver") + RECEIVES_META,
        "deauthorize_url": f"{plan.url('receiver')}{RECEIVES_META}/deauthorize",
        "deletion_url": f"{plan.url('receiver')}{RECEIVES_META}/deletion",
        "redirect_uris": [redirect_uri(plan)],
        # Another seed at each start: the database remembers the message ids of the last one.
        "seed": int(time.time()),
    }
    stripe = {
        "api_key": plan.secrets["stripe"]["api_key"],
        "webhook_secrets": [plan.secrets["stripe"]["webhook_secret"]],
        "callback_url": plan.url("receiver") + RECEIVES_STRIPE,
        "prices": [SOLD],
        "seed": int(time.time()),
    }
    places = {"api_key": plan.secrets["places"]["api_key"]}
    telnyx = {"seed": meta["seed"], "media_url": f"{plan.url('sandbox')}/telnyx-media"}
    project.write_private(
        config, {"meta": meta, "telnyx": telnyx, "stripe": stripe, "places": places}
    )
    words = ["--host", HOST, "--port", str(plan.ports["sandbox"]), "--config", str(config)]
    return Child(
        "sandbox",
        [sys.executable, "-m", "sandbox", *words],
        f"{plan.url('sandbox')}/_control/health",
        environment(),
    )


def receiver(plan: Plan) -> Child:
    """Describe the receiver of webhooks: it may store events and cannot read anything."""
    meta = plan.secrets["meta"]
    return Child(
        "receiver",
        _connext("receiver", "run"),
        f"{plan.url('receiver')}/healthz",
        environment(
            CONNEXT_DATABASE_URL=plan.database("ingress"),
            CONNEXT_RECEIVER_HOST=HOST,
            CONNEXT_RECEIVER_PORT=str(plan.ports["receiver"]),
            CONNEXT_HEALTH_PORT=str(plan.ports["health_receiver"]),
            CONNEXT_RECEIVER_URL=plan.url("receiver"),
            META_APP_ID=meta["app_id"],
            META_APP_SECRET=meta["app_secret"],
            META_VERIFY_TOKEN=meta["verify_token"],
            STRIPE_WEBHOOK_SECRET=plan.secrets["stripe"]["webhook_secret"],
            GOOGLE_PLACES_API_KEY=plan.secrets["places"]["api_key"],
            CONNEXT_PLACES_URL=plan.url("sandbox") + PLACES,
            CONNEXT_JWT_SECRET=plan.secrets["jwt_secret"],
            CONNEXT_SITE_URL=plan.site_url,
            CONNEXT_SUPABASE_URL=plan.url("api"),
            CONNEXT_STORAGE_KEY=project.role_token("files_exports", plan.secrets["jwt_secret"]),
            CONNEXT_PUBLISHABLE_KEY=plan.secrets["publishable_key"],
        ),
    )


def worker_meta(plan: Plan) -> Child:
    """Describe the worker of Facebook Pages and Messenger, talking to the sandbox."""
    meta = plan.secrets["meta"]
    return _worker(
        plan, "meta", ["meta"], "worker_meta",
        CONNEXT_META_GRAPH_URL=plan.url("sandbox"),
        CONNEXT_META_GRAPH_VERSION=GRAPH_VERSION,
        CONNEXT_SUPABASE_URL=plan.url("api"),
        CONNEXT_STORAGE_KEY=project.role_token("files_meta", plan.secrets["jwt_secret"]),
        CONNEXT_PUBLISHABLE_KEY=plan.secrets["publishable_key"],
        META_APP_ID=meta["app_id"],
        META_APP_SECRET=meta["app_secret"],
    )  # fmt: skip


def worker_stripe(plan: Plan) -> Child:
    """Describe the worker of Connext's own billing, talking to the sandbox."""
    return _worker(
        plan, "stripe", ["stripe"], "worker_stripe",
        CONNEXT_STRIPE_API_URL=plan.url("sandbox"),
        STRIPE_API_KEY=plan.secrets["stripe"]["api_key"],
    )  # fmt: skip


def worker_telnyx(plan: Plan) -> Child:
    """Describe the worker of texts and calls, talking to the sandbox."""
    return _worker(
        plan, "telnyx", ["telnyx"], "worker_telnyx",
        CONNEXT_TELNYX_URL=f"{plan.url('sandbox')}/v2",
        CONNEXT_SUPABASE_URL=plan.url("api"),
        CONNEXT_STORAGE_KEY=project.role_token("files_telnyx", plan.secrets["jwt_secret"]),
        CONNEXT_PUBLISHABLE_KEY=plan.secrets["publishable_key"],
    )  # fmt: skip


def worker_privacy(plan: Plan) -> Child:
    """Describe the worker of privacy requests, retention and upkeep."""
    return _worker(
        plan, "privacy", ["privacy", "upkeep"], "worker_privacy",
        CONNEXT_SIGNING_KEY=str(plan.folder.path / signing.FILE),
        # On this machine it shows how; elsewhere it lies where no database administrator writes.
        CONNEXT_AUDIT_ANCHOR=str(plan.folder.path / "anchors.jsonl"),
    )  # fmt: skip


def make_signing_key(plan: Plan) -> None:
    """Make the key that seals the audit, once for the folder."""
    path = plan.folder.path / signing.FILE
    if not path.exists():
        signing.make(path)


def _worker(plan: Plan, name: str, queues: list[str], role: str, **own: str) -> Child:
    port = plan.ports[f"health_{name}"]
    return Child(
        f"worker_{name}",
        _connext("worker", "run", *queues),
        f"http://{HOST}:{port}/healthz",
        environment(
            CONNEXT_DATABASE_URL=plan.database(role),
            CONNEXT_SEALING_KEYS=str(plan.folder.keys),
            CONNEXT_HEALTH_PORT=str(port),
            **own,
        ),
    )


# Each child, by the name that `--without` knows.
CHILDREN: dict[str, Callable[[Plan], Child]] = {
    "sandbox": sandbox,
    "receiver": receiver,
    "worker_meta": worker_meta,
    "worker_stripe": worker_stripe,
    "worker_telnyx": worker_telnyx,
    "worker_privacy": worker_privacy,
}


def check_names(names: Collection[str]) -> None:
    """Refuse to leave out what does not exist: the word was probably mistyped."""
    unknown = sorted(set(names) - set(CHILDREN))
    if unknown:
        raise StackError(f"no process {unknown[0]!r}; there are {', '.join(CHILDREN)}")


def children(plan: Plan, without: Collection[str] = ()) -> list[Child]:
    """Describe the processes that start once the database is migrated."""
    return [describe(plan) for name, describe in CHILDREN.items() if name not in without]


def redirect_uri(plan: Plan) -> str:
    """Name the page of the frontend that Meta sends people back to."""
    return f"{plan.site_url}/integrations/meta/callback"


def _has(plan: Plan, table: str) -> bool:
    with psycopg.connect(plan.database("postgres")) as database:
        row = database.execute("select to_regclass(%s) is not null", [table]).fetchone()
        return row == (True,)


def point_at_sandbox(plan: Plan) -> None:
    """Tell the database where the local stand-in of Meta's dialog is."""
    if not _has(plan, "private.provider_settings"):
        return
    settings = {
        "app_id": plan.secrets["meta"]["app_id"],
        "redirect_uri": redirect_uri(plan),
        "dialog_url": f"{plan.url('sandbox')}/{GRAPH_VERSION}/dialog/oauth",
    }
    with psycopg.connect(plan.database("postgres")) as database:
        database.cursor().executemany(
            "insert into private.provider_settings (provider, key, value) values ('meta', %s, %s)"
            " on conflict (provider, key) do update set value = excluded.value",
            list(settings.items()),
        )
        database.execute(
            "insert into private.provider_settings (provider, key, value)"
            " values ('telnyx', 'webhook_url', %s)"
            " on conflict (provider, key) do update set value = excluded.value",
            [plan.url("receiver") + RECEIVES_TELNYX],
        )


def sell_locally(plan: Plan) -> None:
    """Let the local stack sell what the sandbox's Stripe has a price for."""
    if not _has(plan, "private.billing_rules"):
        return
    with psycopg.connect(plan.database("postgres")) as database:
        database.execute(
            "insert into private.provider_settings (provider, key, value)"
            " values ('stripe', 'return_url', %s)"
            " on conflict (provider, key) do update set value = excluded.value",
            [f"{plan.site_url}/billing"],
        )
        database.execute(
            "insert into public.plans (plan, name_en, name_fr, stripe_price_id, currency,"
            " amount_minor, billing_interval, rank)"
            " select 'pro', 'Pro', 'Pro', %s, upper(%s), %s, %s, 1"
            " where not exists (select 1 from public.plans where plan = 'pro' or rank = 1)",
            [SOLD["id"], SOLD["currency"], SOLD["unit_amount"], SOLD["interval"]],
        )


def name_somebody_in_charge(plan: Plan) -> None:
    """Let the local privacy page name a person in charge, as an operator does with the real one."""
    if not _has(plan, "privacy.officers"):
        return
    with psycopg.connect(plan.database("postgres")) as database:
        database.execute(
            "select privacy.appoint_officer('Privacy Officer of the local stack',"
            " 'Responsable de la protection des renseignements personnels de la pile locale',"
            " 'privacy@connext.example')"
            " where not exists (select from privacy.officers as o where o.ended_at is null)"
        )


# Done in this order after the migrations and the logins, before any child starts.
PREPARATIONS: tuple[tuple[str, Callable[[Plan], None]], ...] = (
    ("provider settings", point_at_sandbox),
    ("plans", sell_locally),
    ("signing key", make_signing_key),
    ("person in charge", name_somebody_in_charge),
)
