"""Orders, invoices and payments: totals, states, what is final, what nobody else reaches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database import as_operator
from tests.shop import invoice, issued, order, refused, shop, value

quick = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

ISSUE = "select public.issue_invoice(%s)"
PAY = "select (public.record_payment(%s, %s, 'cash')).id"
ITEM = "insert into public.{0}_items (org_id, {0}_id, description, unit_price_minor) values (%s, %s, 'x', 1)"
RATES = {"GST": Decimal(50000), "QST": Decimal(99750)}
MILLION = Decimal(1000000)


def cents(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


items = st.tuples(
    st.decimals(Decimal("0.001"), Decimal(1000000), places=3),
    st.integers(0, 10**11) | st.integers(0, 3000),
    st.integers(0, 1000000) | st.sampled_from([0, 100000, 333333]),
    st.sets(st.sampled_from(sorted(RATES))),
)


@pytest.mark.parametrize("document", ["order", "invoice"])
def test_totals_and_taxes_are_those_of_exact_decimal_arithmetic(db, document):
    org, who = shop(db)

    @quick
    @given(st.lists(items, min_size=1, max_size=8))
    def check(lines):
        with db.transaction(force_rollback=True):
            made = value(
                db,
                f"insert into public.{document}s (org_id, customer_id) values (%s, %s) returning id",
                [org.id, who],
            )
            with db.cursor() as cursor:
                cursor.executemany(
                    f"insert into public.{document}_items (org_id, {document}_id, description, quantity,"
                    " unit_price_minor, discount_ppm, tax_codes) values (%s, %s, 'x', %s, %s, %s, %s)",
                    [[org.id, made, *line[:3], [*line[3], *line[3]]] for line in lines],
                )
            totals = db.execute(
                f"select subtotal_minor, tax_minor, total_minor from public.{document}s where id = %s",
                [made],
            ).fetchone()
        amounts = [cents(q * p * (MILLION - d) / MILLION) for q, p, d, _ in lines]
        subtotal = sum(amounts)
        taxes = [
            cents(
                sum(a for a, line in zip(amounts, lines, strict=True) if code in line[3])
                * rate
                / MILLION
            )
            for code, rate in RATES.items()
        ]
        assert totals == (subtotal, sum(taxes), subtotal + sum(taxes))

    check()


@pytest.mark.parametrize(
    ("prices", "taxes"),
    [
        ([10000], [("GST", 500), ("QST", 998)]),  # 997.5 of a cent is a cent more
        ([10], [("GST", 1), ("QST", 1)]),  # half a cent of GST is a cent
        ([9], [("GST", 0), ("QST", 1)]),
        ([5, 5], [("GST", 1), ("QST", 1)]),  # on the sum: line by line it would be 0 and 0
        ([1999, 501], [("GST", 125), ("QST", 249)]),
    ],
)
def test_each_tax_is_rounded_once_on_the_sum_it_applies_to(db, prices, taxes):
    org, who = shop(db)

    made = issued(db, org.id, who, *prices)

    charged = db.execute(
        "select code, tax_minor from public.invoice_taxes where invoice_id = %s order by code",
        [made],
    )
    assert charged.fetchall() == taxes


def test_a_new_organization_charges_gst_and_qst_of_quebec(db):
    org, _ = shop(db)

    seeded = db.execute(
        "select code, rate_ppm, region, name_fr from public.tax_rates where is_default order by code"
    )

    assert seeded.fetchall() == [
        ("GST", 50000, "QC", "Taxe sur les produits et services"),
        ("QST", 99750, "QC", "Taxe de vente du Québec"),
    ]
    as_operator(db)
    abroad = value(
        db, "insert into public.organizations (name, country) values ('A', 'FR') returning id"
    )
    assert value(db, "select count(*) from public.tax_rates where org_id = %s", [abroad]) == 0
    assert org.id != abroad


def test_an_item_takes_what_it_leaves_out_from_its_product(db):
    org, who = shop(db, "agent")
    made = value(
        db,
        "insert into public.products (org_id, sku, name, unit_price_minor, tax_codes)"
        " values (%s, 'A-1', 'Lamp', 1234, '{GST}') returning id",
        [org.id],
    )
    bill = value(
        db,
        "insert into public.invoices (org_id, customer_id) values (%s, %s) returning id",
        [org.id, who],
    )

    db.execute(
        "insert into public.invoice_items (org_id, invoice_id, product_id, quantity)"
        " values (%s, %s, %s, 2)",
        [org.id, bill, made],
    )

    taken = db.execute(
        "select description, unit_price_minor, tax_codes, line_minor, position from public.invoice_items"
    )
    assert taken.fetchall() == [("Lamp", 1234, ["GST"], 2468, 1)]


def test_a_sku_is_unique_in_its_organization_only(db):
    insert = (
        "insert into public.products (org_id, sku, name, unit_price_minor) values (%s, 'A', 'x', 1)"
    )
    ours, _ = shop(db)
    db.execute(insert, [ours.id])
    refused(db, "23505", insert, [ours.id])
    theirs, _ = shop(db)

    db.execute(insert, [theirs.id])

    assert value(db, "select count(*) from public.products") == 1


def test_the_rate_of_the_day_of_issue_counts_and_an_unknown_tax_is_refused(db):
    org, who = shop(db, "accountant")
    today = datetime.now(UTC).date()
    rate = (
        "insert into public.tax_rates (org_id, code, name_en, name_fr, rate_ppm, valid_from)"
        " values (%s, %s, 'x', 'x', %s, %s)"
    )
    db.execute(rate, [org.id, "GST", 70000, today - timedelta(days=2)])
    db.execute(rate, [org.id, "GST", 90000, today + timedelta(days=9)])
    db.execute(rate, [org.id, "NEW", 10000, today + timedelta(days=9)])
    bill = invoice(db, org.id, who)
    item = (
        "insert into public.invoice_items (org_id, invoice_id, description, unit_price_minor, tax_codes)"
        " values (%s, %s, 'x', 10000, %s)"
    )
    for codes in (["PST"], ["NEW"], ["GST", None], ["gst"]):
        refused(db, "CX046", item, [org.id, bill, codes])

    db.execute(ISSUE, [bill])

    charged = value(db, "select tax_minor from public.invoice_taxes where code = 'GST'")
    assert charged == 700
    refused(db, "42501", "update public.tax_rates set rate_ppm = 1")
    as_operator(db)
    refused(db, "CX042", "update public.tax_rates set rate_ppm = 1 where org_id = %s", [org.id])


def test_issuing_dates_numbers_and_remembers_whom_it_was_for(db):
    org, who = shop(db)
    db.execute(
        "insert into public.addresses (org_id, customer_id, line1, city, postal_code)"
        " values (%s, %s, '1 rue A', 'Montréal', 'h2x1y4')",
        [org.id, who],
    )
    db.execute(
        "insert into public.contact_points (org_id, customer_id, kind, value)"
        " values (%s, %s, 'email', 'ana@x.ca')",
        [org.id, who],
    )
    made = issued(db, org.id, who)

    db.execute("update public.customers set display_name = 'Somebody else'")
    db.execute("delete from public.addresses")

    bill = db.execute(
        "select number, status, due_date - issue_date, subtotal_minor, total_minor, balance_minor,"
        " bill_to_name, bill_to_city, bill_to_postal_code, bill_to_email, issued_by"
        " from public.invoices where id = %s",
        [made],
    ).fetchone()
    assert bill == (
        1, "open", 30, 10000, 11498, 11498, "Benoît Tremblay", "Montréal", "H2X 1Y4", "ana@x.ca",
        org.people["owner"],
    )  # fmt: skip
    refused(db, "CX042", ISSUE, [made])


def test_each_organization_numbers_its_own_invoices_and_a_refused_issue_gives_its_number_back(db):
    ours, who = shop(db)
    dollars = value(
        db,
        "insert into public.invoices (org_id, customer_id, currency) values (%s, %s, 'USD') returning id",
        [ours.id, who],
    )
    db.execute(ITEM.format("invoice"), [ours.id, dollars])
    issued(db, ours.id, who)
    refused(db, "CX065", ISSUE, [dollars])  # the books are kept in CAD: refused after numbering
    issued(db, ours.id, who)
    theirs, other = shop(db)
    issued(db, theirs.id, other)

    as_operator(db)

    numbered = "select array_agg(number order by number) from public.invoices where org_id = %s"
    assert value(db, numbered, [ours.id]) == [1, 2, None]
    assert value(db, numbered, [theirs.id]) == [1]


def test_an_empty_or_overdue_draft_is_not_issued(db):
    org, who = shop(db)
    empty = value(
        db,
        "insert into public.invoices (org_id, customer_id) values (%s, %s) returning id",
        [org.id, who],
    )
    refused(db, "CX040", ISSUE, [empty])
    late = invoice(db, org.id, who)
    db.execute("update public.invoices set due_date = '2020-01-01' where id = %s", [late])

    refused(db, "CX006", ISSUE, [late])
    refused(db, "CX003", ISSUE, [uuid4()])


def test_an_invoice_of_nothing_is_paid_when_it_is_issued(db):
    org, who = shop(db)

    made = issued(db, org.id, who, 0)

    assert value(db, "select status from public.invoices where id = %s", [made]) == "paid"
    db.execute("select public.void_invoice(%s, 'mistake')", [made])
    assert value(db, "select status from public.invoices where id = %s", [made]) == "void"


def test_an_order_goes_from_draft_to_invoice_once(db):
    org, who = shop(db, "agent")
    made = order(db, org.id, who)
    to_invoice = "select (public.invoice_order(%s)).id"
    refused(db, "CX041", to_invoice, [made])
    db.execute("select public.confirm_order(%s)", [made])
    refused(db, "CX041", "select public.confirm_order(%s)", [made])
    refused(db, "CX041", ITEM.format("order"), [org.id, made])
    refused(db, "CX041", "update public.order_items set quantity = 2")
    refused(db, "CX041", "update public.orders set memo = 'x'")
    refused(db, "CX041", "delete from public.orders")

    bill = value(db, to_invoice, [made])

    assert db.execute("select status, order_id, total_minor from public.invoices").fetchall() == [
        ("draft", made, 11498)
    ]
    refused(db, "CX049", to_invoice, [made])
    refused(db, "CX049", "select public.cancel_order(%s)", [made])
    db.execute(ISSUE, [bill])
    db.execute("select public.void_invoice(%s, 'wrong')", [bill])
    value(db, to_invoice, [made])
    db.execute("select public.fulfil_order(%s)", [made])
    refused(db, "CX041", "select public.cancel_order(%s)", [made])
    assert value(db, "select status || ' ' || number from public.orders") == "fulfilled 1"


def test_an_order_is_cancelled_before_it_is_invoiced(db):
    org, who = shop(db)
    made = order(db, org.id, who)

    db.execute("select public.cancel_order(%s)", [made])

    for verb in ("confirm_order", "fulfil_order", "cancel_order", "invoice_order"):
        refused(db, "CX041", f"select public.{verb}(%s)", [made])
    empty = value(
        db,
        "insert into public.orders (org_id, customer_id) values (%s, %s) returning id",
        [org.id, who],
    )
    refused(db, "CX040", "select public.confirm_order(%s)", [empty])


def test_a_document_has_one_currency(db):
    org, who = shop(db)
    lamp = value(
        db,
        "insert into public.products (org_id, name, unit_price_minor, currency)"
        " values (%s, 'Lamp', 5, 'USD') returning id",
        [org.id],
    )

    for document in ("order", "invoice"):
        made = value(
            db,
            f"insert into public.{document}s (org_id, customer_id) values (%s, %s) returning id",
            [org.id, who],
        )
        refused(
            db,
            "CX047",
            f"insert into public.{document}_items (org_id, {document}_id, product_id) values (%s, %s, %s)",
            [org.id, made, lamp],
        )


@pytest.mark.parametrize(
    ("column", "bad"),
    [("quantity", 0), ("quantity", -1), ("unit_price_minor", -1), ("discount_ppm", -1),
     ("discount_ppm", 1000001), ("description", " "), ("quantity", 1000001)],
)  # fmt: skip
def test_an_impossible_item_is_refused(db, column, bad):
    org, who = shop(db)
    invoice(db, org.id, who)
    order(db, org.id, who)

    for table in ("order_items", "invoice_items"):
        refused(db, "23514", f"update public.{table} set {column} = %s", [bad])


def test_a_draft_is_deleted_with_its_items(db):
    org, who = shop(db)
    invoice(db, org.id, who)
    order(db, org.id, who)

    db.execute("delete from public.invoices")
    db.execute("delete from public.orders")

    for table in ("invoices", "invoice_items", "invoice_taxes", "orders", "order_items"):
        assert value(db, f"select count(*) from public.{table}") == 0
