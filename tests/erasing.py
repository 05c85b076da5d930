"""What tests of erasures share: a Storage without a stack, and a request that may be carried out."""

from __future__ import annotations

import psycopg


class Storage:
    """Stands in for the Storage API of a stack that is not running."""

    def __init__(self, url):
        self.url = url
        self.deleted = []

    def delete(self, path):
        bucket, _, name = path.partition("/")
        with psycopg.connect(self.url, autocommit=True) as db:
            db.execute("set storage.allow_delete_query = 'true'")
            db.execute(
                "delete from storage.objects where bucket_id = %s and name = %s", [bucket, name]
            )
        self.deleted.append(path)


def asked(desk, *words):
    """Open, verify and grant a deletion; return the request's id."""
    made = desk("privacy", "request", "open", *words, "--json")
    assert made.code == 0, made.err
    request = made.json["id"]
    assert desk("privacy", "request", "verify", request, "--method", "session").code == 0
    assert desk("privacy", "request", "grant", request, "--by", "ana.r").code == 0
    return request
