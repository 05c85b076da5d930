"""The integrations table of the privacy page, as rights: what each provider's worker may touch.

The page says per provider what Connext uses and what for. Here is the same as table → verbs of
the tables that hold data of organizations; whatever is not listed is closed to that worker.
"""

from __future__ import annotations

# What every provider's worker needs to hold its own connection, and of its own provider only.
CONNECTION = {
    "public.integrations": "select update",
    "private.sealed_tokens": "select insert delete",
    "private.revocations": "select delete",
}

INTEGRATIONS_TABLE = {
    # "Pages, their messages and the basic profile of people who write, to let you read and reply"
    "worker_meta": CONNECTION
    | {
        "public.channels": "select update",  # which Pages are still subscribed
        "private.sync_cursors": "select insert update",  # how far the history has been read
        "public.conversations": "select insert update",
        "public.messages": "select insert update",
        "public.attachments": "select insert update",
        "public.contact_points": "select",  # who of the customers is writing
        "queue.webhook_events": "select update",
    },
    # "numbers, call and message metadata and content of the numbers you connect"
    "worker_telnyx": CONNECTION
    | {
        "private.telnyx_accounts": "select update delete",  # what was made there, how far it was read
        "private.send_requests": "select insert update delete",  # a text under way, to be repeated
        "public.phone_numbers": "select insert update",
        "public.channels": "select update",  # which numbers are connected
        "public.conversations": "select insert update",
        "public.messages": "select insert update",
        "public.attachments": "select insert update",
        "public.calls": "select insert update",
        "public.call_actions": "select update",
        "public.call_recordings": "select insert update",
        "public.calling_tokens": "select update",  # sealed to the browser that asked
        "public.opt_outs": "select insert update",
        "public.contact_points": "select",  # who of the customers is calling
        "queue.webhook_events": "select update",
    },
    # "billing e-mail and the state of your subscription and payments"
    "worker_stripe": CONNECTION
    | {
        "public.billing_accounts": "select insert update",
        "public.billing_invoices": "select insert update",
        "public.subscriptions": "select insert update",
        "public.billing_requests": "select update",  # where to pay, for who asked
        "private.billing_runs": "select update",  # what differs from Stripe
        "private.billing_erasures": "select update",  # how far leaving Stripe is
    },
    # Address text is passed on by the receiver and kept by nobody; webhooks go in by a function.
    "ingress": {},
    # Deletes what is due by functions; reads nobody's rows.
    "worker_privacy": {},
}

# Settings and public keys: the same for everybody, of no organization.
OF_NOBODY = {"private.provider_settings", "private.sealing_keys", "public.plans"}
