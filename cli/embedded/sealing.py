"""The stack's first sealing key, made while the database is still starting.

Finding primes takes two to five seconds of one processor: nothing waits for it that need not.
Run as a module it makes one key and prints it for its parent.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import IO, TYPE_CHECKING

import psycopg

from cli.embedded import process
from cli.embedded.errors import StackError

if TYPE_CHECKING:
    from cli.embedded.children import Plan
    from cli.keymaking import SealingKey


class KeyMaker:
    """A process that makes a key, or none because the stack has one."""

    def __init__(self, plan: Plan, environment: dict[str, str]) -> None:
        self._plan = plan
        self._process: subprocess.Popen[bytes] | None = None
        if not any(plan.folder.keys.glob("*.pgp")):
            command = [sys.executable, "-m", "cli.embedded.sealing"]
            self._process = process.spawn(command, log=subprocess.PIPE, env=environment)

    def stop(self) -> None:
        """End the process if it still works."""
        maker, self._process = self._process, None
        if maker is not None:
            maker.kill()
            maker.communicate()

    def finish(self) -> bool:
        """Put each half where it belongs, unless a key is active; say whether that was done."""
        with psycopg.connect(self._plan.database("postgres")) as database:
            row = database.execute("select to_regclass('private.sealing_keys')").fetchone()
            if row == (None,):
                return False
            # Two operators at once: the second waits here, then finds the first one's key.
            database.execute("lock table private.sealing_keys in share row exclusive mode")
            active = database.execute(
                "select key_id from private.sealing_keys where state = 'active'"
            ).fetchone()
            if active is not None:
                return False
            self._install(database, self._made())
            return True

    def _install(self, database: psycopg.Connection, key: SealingKey) -> None:
        from cli.keymaking import write_private_half

        path = write_private_half(self._plan.folder.keys, key)
        try:
            database.execute(
                "insert into private.sealing_keys (key_id, public_key) values (%s, %s)",
                [key.fingerprint, key.public],
            )
            database.commit()
        except BaseException:
            path.unlink()
            raise

    def _made(self) -> SealingKey:
        from cli.keymaking import SealingKey, make_key

        if self._process is None:  # the folder holds keys of another database
            return make_key()
        maker, self._process = self._process, None
        said, _ = maker.communicate()
        if maker.returncode != 0:
            raise StackError("the sealing key could not be made: run `connext keys init`")
        fingerprint, public, private = json.loads(said.splitlines()[-1])
        return SealingKey(fingerprint, bytes.fromhex(public), bytes.fromhex(private))


def main(out: IO[str]) -> None:
    """Make a key and print it: fingerprint, public half, private half."""
    from cli.keymaking import make_key

    key = make_key()
    out.write(json.dumps([key.fingerprint, key.public.hex(), key.private.hex()]) + "\n")


if __name__ == "__main__":
    main(sys.stdout)
