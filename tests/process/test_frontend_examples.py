"""Every example of docs/frontend.md is run with the official client, and its effect is checked."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from cli.embedded.packages import LOCAL, node

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "frontend.md"
CHECKS = Path(__file__).parent / "js" / "frontend_checks.mjs"
BLOCK = re.compile(r"^```js\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 60

# What a page has beside our code: who types, where the browser goes, what workers write meanwhile.
PRELUDE = """
import assert from 'node:assert/strict'
import { WebSocket } from 'ws'
import postgres from 'postgres'

globalThis.WebSocket ??= WebSocket
const url = process.env.API_URL
const publishableKey = process.env.PUBLISHABLE_KEY
const receiverUrl = 'https://hooks.example.com'
const run = crypto.randomUUID().slice(0, 8)
const email = `eve-${run}@example.com`
const password = 'correct horse battery'
const file = new Blob(['not really a picture'], { type: 'image/png' })
const location = { href: '', assign(address) { this.href = address } }
const operator = postgres(process.env.DATABASE_URL, { max: 1, onnotice: () => {} })
const browser = {
  async person(address) {
    const client = createClient(url, publishableKey)
    await ask(client.auth.signUp({ email: address, password }))
    return client
  },
  async exportIsMade(request) {
    const made = crypto.randomUUID()
    await operator`select privacy.announce_export(${request.org_id}, ${request.id}, ${made})`
    await operator`select privacy.export_stored(${request.org_id}, ${request.id}, ${made}, 3, repeat('0', 64), '7 days')`
  },
  async messagesArrive(org) {
    await operator.unsafe(process.env.ARRIVALS.replaceAll(':org', `'${org}'::uuid`))
  },
}
"""
ENDING = "\nawait operator.end()\nawait supabase.auth.signOut()\nprocess.exit(0)\n"

# A connected Page, and people who wrote to it: what the worker of Meta would have written.
ARRIVALS = """
    insert into public.integrations (org_id, id, provider, status, consent_id, connected_at)
    values (:org, :org, 'meta', 'active', private.grant_consent(:org, 'meta', '{}'), now());
    insert into public.channels (org_id, id, provider, integration_id, external_id, name)
    values (:org, :org, 'meta', :org, '1001', 'Boulangerie du Canal');
    insert into public.conversations
        (org_id, provider, channel_id, contact_external_id, contact_name, last_inbound_at, last_message_at, unread_count)
    select :org, 'meta', :org, 'psid-' || n, 'Client ' || n, now() - (n / 3) * interval '1 hour', now() - (n / 3) * interval '1 hour', 1
    from generate_series(1, 60) as n;
    insert into public.messages
        (org_id, provider, channel_id, conversation_id, direction, state, body, origin, external_id)
    select org_id, provider, channel_id, id, 'inbound', 'received', 'Bonjour', 'webhook', 'mid-' || id
    from public.conversations where org_id = :org;
"""


def chapters(text, opening):
    """Split a text at its titles."""
    parts = re.split(opening, text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def pieces():
    """The chapters that hold code, in order: title, code, checks."""
    checks = chapters(CHECKS.read_text(), r"^// after: (.+)$\n")
    told = chapters(PAGE.read_text(), r"^## (.+)$\n")
    code = {title: "".join(BLOCK.findall(body)) for title, body in told.items()}
    return {title: (body, checks.get(title, "")) for title, body in code.items() if body}


def run(stack, folder, parts):
    """Run chapters as one module, beside the locked packages."""
    (folder / "node_modules").symlink_to(LOCAL / "node_modules")
    module = folder / "page.mjs"
    module.write_text(PRELUDE + "".join(code + check for code, check in parts) + ENDING)
    return subprocess.run(
        [node(), str(module)],
        env=os.environ
        | {
            "API_URL": stack.status["api_url"],
            "PUBLISHABLE_KEY": stack.status["publishable_key"],
            "DATABASE_URL": stack.status["database_url"],
            "ARRIVALS": ARRIVALS,
        },
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_every_chapter_with_code_is_checked():
    checked = chapters(CHECKS.read_text(), r"^// after: (.+)$\n")

    assert list(pieces()) == list(checked)
    assert all("assert" in check for check in checked.values())


def test_the_page_holds_no_code_that_is_not_run():
    fences = re.findall(r"^```(\w*)$", PAGE.read_text(), re.MULTILINE)

    assert set(fences) == {"js", ""}
    assert fences.count("js") == len(BLOCK.findall(PAGE.read_text()))


def test_the_examples_work_with_the_official_client(quiet_stack, tmp_path):
    parts = [part for title, part in pieces().items() if title != "Realtime"]

    done = run(quiet_stack, tmp_path, parts)

    assert done.returncode == 0, done.stderr


def test_the_example_of_realtime_works_with_the_official_client(quiet_stack, tmp_path):
    every = pieces()
    wanted = ("Start", "Sign up", "Choose an organization", "Realtime")

    done = run(quiet_stack, tmp_path, [every[title] for title in wanted])

    assert done.returncode == 0, done.stderr
