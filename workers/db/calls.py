"""Calling SQL functions by their signature, with bound parameters and typed rows."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any, LiteralString, NamedTuple, TypeVar

from psycopg import sql
from psycopg.rows import args_row, scalar_row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from psycopg import AsyncConnection

Row = TypeVar("Row")
Tuple = TypeVar("Tuple", bound=NamedTuple)


@cache
def _select(signature: LiteralString, columns: tuple[str, ...]) -> bytes:
    """Write the statement for a signature such as `queue.succeed(text, bigint[], uuid[])`.

    The casts keep Postgres from guessing: a short list of small numbers would otherwise be
    taken for `smallint[]`, and no function has that.
    """
    name, _, types = signature.rstrip(")").partition("(")
    arguments = [
        sql.SQL("%s::{}").format(sql.SQL(kind.strip())) for kind in types.split(",") if kind
    ]
    wanted = sql.SQL(", ").join(map(sql.Identifier, columns)) if columns else sql.SQL("*")
    statement = sql.SQL("select {} from {}({})").format(
        wanted, sql.Identifier(*name.split(".")), sql.SQL(", ").join(arguments)
    )
    return statement.as_bytes(None)


def numbered(signature: LiteralString, columns: tuple[str, ...]) -> bytes:
    """Write the statement with its parameters as Postgres counts them, for libpq itself."""
    first, *rest = _select(signature, columns).split(b"%s")
    return first + b"".join(b"$%d%s" % (number, part) for number, part in enumerate(rest, 1))


@cache
def _gather(signature: LiteralString) -> bytes:
    """Write the statement that gathers what a function returns into an array."""
    return b"select array(" + _select(signature, ()) + b")"


async def rows(
    connection: AsyncConnection,
    signature: LiteralString,
    *arguments: object,
    columns: tuple[str, ...],
    make: Callable[..., Row],
) -> list[Row]:
    """Call a function that returns rows; *make* gets each row's *columns*, in their order."""
    # Binary, because parsing times and ids from text is most of what a claim costs in Python.
    async with connection.cursor(row_factory=args_row(make), binary=True) as cursor:
        await cursor.execute(_select(signature, columns), arguments)
        return await cursor.fetchall()


async def pages(
    connection: AsyncConnection,
    signature: LiteralString,
    *arguments: object,
    columns: tuple[str, ...],
    make: Callable[..., Row],
    size: int,
) -> AsyncIterator[list[Row]]:
    """Call a function that returns many rows, and fetch *size* of them at a time.

    The server keeps the rest until the transaction ends, which it must not before the last page.
    """
    async with connection.cursor("pages", row_factory=args_row(make)) as cursor:
        await cursor.execute(_select(signature, columns), arguments, binary=True)
        while page := await cursor.fetchmany(size):
            yield page


async def tuples(
    connection: AsyncConnection, signature: LiteralString, *arguments: object, make: type[Tuple]
) -> list[Tuple]:
    """Call a function that returns rows with the fields of *make*: the fastest way to read many."""
    # As make._make does it, but without a Python call for each row.
    row = partial(tuple.__new__, make)
    async with connection.cursor(row_factory=lambda _cursor: row, binary=True) as cursor:
        await cursor.execute(_select(signature, make._fields), arguments)
        return await cursor.fetchall()


async def array(
    connection: AsyncConnection, signature: LiteralString, *arguments: object
) -> list[Any]:
    """Call a function that returns a set of single values, and fetch them as one value."""
    async with connection.cursor(row_factory=scalar_row, binary=True) as cursor:
        await cursor.execute(_gather(signature), arguments)
        found: list[Any] | None = await cursor.fetchone()
        return found or []


def listed(items: Iterable[object]) -> str:
    """Write numbers or ids as an argument that is cast to an array.

    psycopg looks at every item of a list to find the type that the cast says anyway, which
    takes longer than all else in a call with a hundred.
    """
    return f"{{{','.join(map(str, items))}}}"


async def values(
    connection: AsyncConnection, signature: LiteralString, *arguments: object
) -> list[Any]:
    """Call a function that returns a set of single values."""
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(_select(signature, ()), arguments)
        return await cursor.fetchall()


async def value(connection: AsyncConnection, signature: LiteralString, *arguments: object) -> Any:  # noqa: ANN401 (the caller knows the function's type)
    """Call a function that returns one value, which may be null."""
    found = await values(connection, signature, *arguments)
    return found[0] if found else None
