-- Audit: epochs sealed behind the snapshot horizon, receipts chained per organization, purge by whole epochs.
--
-- Owns      audit.epochs, receipts, receipt_heads; the column audit.events.xid.
-- Callers   operators seal, export and verify; triggers write receipts.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

-- Before the first release the table is small.
-- squawk-ignore adding-field-with-default, adding-required-field
alter table audit.events add column xid xid8 not null default pg_current_xact_id();
create index events_xid_idx on audit.events (xid, id);
comment on column audit.events.xid is 'Who wrote it commits before or after an epoch as a whole: epochs are ranges of these, not of ids.';

create table audit.epochs (
    n bigint not null,
    from_xid xid8 not null,
    to_xid xid8 not null,
    events bigint not null,
    root bytea not null,
    prev bytea not null,
    hash bytea not null,
    body bytea not null,
    signature bytea not null,
    key_id text not null,
    sealed_at timestamptz not null default clock_timestamp(),
    purged_at timestamptz,

    constraint epochs_pkey primary key (n),
    constraint epochs_one_follower unique (prev),
    constraint epochs_number_positive check (n > 0),
    constraint epochs_range_in_order check (from_xid < to_xid),
    constraint epochs_hash_lengths check (length(root) = 32 and length(prev) = 32 and length(hash) = 32 and length(signature) = 64)
);
comment on table audit.epochs is
'Sealed stretches of the audit: the Merkle root of their events, chained to the epoch before, signed with a key this database does not have.';
comment on column audit.epochs.purged_at is 'Its events were deleted, all of them, because their time was over; root and signature stay.';

create table audit.receipt_heads (
    org_id uuid not null,
    n bigint not null,
    hash bytea not null,

    constraint receipt_heads_pkey primary key (org_id)
);
comment on table audit.receipt_heads is 'The last receipt of each organization: its row lock puts the chain in a line.';

create table audit.receipts (
    org_id uuid not null,
    n bigint not null,
    kind text not null,
    reference uuid not null,
    digest bytea not null,
    prev bytea not null,
    hash bytea not null,
    at timestamptz not null default clock_timestamp(),

    constraint receipts_pkey primary key (org_id, n),
    constraint receipts_one_follower unique (org_id, prev),
    constraint receipts_kind_known check (kind in ('erasure', 'export', 'refusal', 'disconnect'))
);
comment on table audit.receipts is
'What was done for a person of an organization, each chained to the one before: erasures, exports, refusals, disconnects.';

create function audit.receipt_hash(org_id uuid, n bigint, kind text, reference uuid, digest bytea, prev bytea)
returns bytea
language sql
immutable
set search_path = ''
as $$
    -- Fixed lengths in front of the one that varies: no two receipts read the same.
    select sha256(
        '\x03'::bytea || uuid_send(receipt_hash.org_id) || int8send(receipt_hash.n) || uuid_send(receipt_hash.reference)
        || receipt_hash.prev || int4send(length(receipt_hash.digest)) || receipt_hash.digest
        || convert_to(receipt_hash.kind, 'UTF8')
    );
$$;
comment on function audit.receipt_hash(uuid, bigint, text, uuid, bytea, bytea) is 'What chains a receipt to the one before.';

create function audit.receipt(org_id uuid, kind text, reference uuid, digest bytea)
returns bigint
language plpgsql
volatile
security definer  -- whoever is given a receipt has no right to write one
set search_path = ''
as $$
declare
    head audit.receipt_heads;
    made bytea;
begin
    insert into audit.receipt_heads as h (org_id, n, hash) values (receipt.org_id, 0, decode(repeat('00', 32), 'hex'))
    on conflict on constraint receipt_heads_pkey do nothing;
    select h.* into head from audit.receipt_heads as h where h.org_id = receipt.org_id for update;
    made := audit.receipt_hash(receipt.org_id, head.n + 1, receipt.kind, receipt.reference, receipt.digest, head.hash);
    insert into audit.receipts (org_id, n, kind, reference, digest, prev, hash)
    values (receipt.org_id, head.n + 1, receipt.kind, receipt.reference, receipt.digest, head.hash, made);
    update audit.receipt_heads as h set n = head.n + 1, hash = made where h.org_id = receipt.org_id;
    return head.n + 1;
end;
$$;
comment on function audit.receipt(uuid, text, uuid, bytea) is 'Writes the next receipt of an organization; answers its number.';

create function audit.give_receipt()
returns trigger
language plpgsql
volatile
security definer  -- whoever caused it has no right to write a receipt
set search_path = ''
as $$
begin
    if tg_table_name = 'certificates' then
        perform audit.receipt(new.org_id, 'erasure', new.erasure_id, sha256(new.body));
    elsif tg_table_name = 'data_exports' then
        perform audit.receipt(new.org_id, 'export', new.id, decode(new.sha256, 'hex'));
    elsif tg_table_name = 'privacy_requests' then
        perform audit.receipt(new.org_id, 'refusal', new.id, sha256(convert_to(coalesce(new.provision, ''), 'UTF8')));
    else
        perform audit.receipt(new.org_id, 'disconnect', new.id, sha256(convert_to(new.provider, 'UTF8')));
    end if;
    return null;
end;
$$;
comment on function audit.give_receipt() is 'Row trigger: what is done for people gets a receipt in the same transaction.';
create trigger certificates_insert_receipt after insert on privacy.certificates
for each row execute function audit.give_receipt();
create trigger data_exports_insert_receipt after insert on public.data_exports
for each row when (new.state = 'ready') execute function audit.give_receipt();
create trigger privacy_requests_update_receipt after update of status on public.privacy_requests
for each row when (new.status = 'refused' and old.status <> 'refused') execute function audit.give_receipt();
create trigger integrations_update_receipt after update of status on public.integrations
for each row when (new.status = 'disconnected' and old.status <> 'disconnected') execute function audit.give_receipt();

-- Nothing changes, and only whole epochs go ---------------------------------------------------------------

create function audit.keep()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    -- One table after the other: a row of one has not the columns of the other.
    if tg_table_name = 'events' then
        if tg_op = 'DELETE' and exists (
            select 1 from audit.epochs as e
            where e.purged_at = now() and old.xid >= e.from_xid and old.xid < e.to_xid
        ) then
            return old;
        end if;
    elsif tg_table_name = 'epochs' and tg_op = 'UPDATE' then
        if (to_jsonb(new) - 'purged_at') = (to_jsonb(old) - 'purged_at') and old.purged_at is null then
            return new;
        end if;
    end if;
    raise exception 'the audit is never changed or deleted'
    using errcode = 'CX006', hint = 'Record a new event; whole epochs are purged by audit.purge.';
end;
$$;
comment on function audit.keep() is 'Trigger: events, epochs and receipts stay as they are; the events of a purged epoch may go. Raises CX006.';
create function audit.only_a_purge_deletes()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if not exists (select 1 from audit.epochs as e where e.purged_at = now()) then
        raise exception 'audit events are never changed or deleted'
        using errcode = 'CX006', hint = 'Record a new event instead.';
    end if;
    return null;
end;
$$;
comment on function audit.only_a_purge_deletes() is
'Statement trigger: events are deleted only by the transaction that purges their whole epoch. Raises CX006.';
drop trigger events_are_append_only on audit.events;
create trigger events_are_append_only before update or truncate on audit.events
for each statement execute function audit.events_are_append_only();
create trigger events_delete_only_a_purge before delete on audit.events
for each statement execute function audit.only_a_purge_deletes();
create trigger events_delete_whole_epochs before delete on audit.events
for each row execute function audit.keep();
create trigger epochs_are_append_only before update or delete on audit.epochs
for each row execute function audit.keep();
create trigger epochs_truncate_never before truncate on audit.epochs
for each statement execute function audit.events_are_append_only();
create trigger receipts_are_append_only before update or delete on audit.receipts
for each row execute function audit.keep();
create trigger receipts_truncate_never before truncate on audit.receipts
for each statement execute function audit.events_are_append_only();

create function audit.horizon()
returns xid8
language sql
stable
set search_path = ''
as $$
    select pg_snapshot_xmin(pg_current_snapshot());
$$;
comment on function audit.horizon() is 'Every transaction below it is over: what is sealed below it is complete.';

create function audit.seal(
    n bigint, from_xid xid8, to_xid xid8, events bigint, root bytea, prev bytea, hash bytea, body bytea, signature bytea,
    key_id text
)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
    last audit.epochs;
    counted bigint;
begin
    perform pg_advisory_xact_lock(hashtextextended('audit.seal', 0));
    select e.* into last from audit.epochs as e order by e.n desc limit 1;
    select count(*) into counted from audit.events as v where v.xid >= seal.from_xid and v.xid < seal.to_xid;
    if seal.n <> coalesce(last.n, 0) + 1 or seal.prev <> coalesce(last.hash, decode(repeat('00', 32), 'hex'))
        or seal.from_xid <> coalesce(last.to_xid, '0'::xid8) or seal.to_xid > audit.horizon() or counted <> seal.events
    then
        raise exception 'this epoch does not follow the last one'
        using errcode = 'CX097', hint = 'Somebody else sealed meanwhile: read again and seal what is left.';
    end if;
    insert into audit.epochs (n, from_xid, to_xid, events, root, prev, hash, body, signature, key_id)
    values (seal.n, seal.from_xid, seal.to_xid, seal.events, seal.root, seal.prev, seal.hash, seal.body, seal.signature, seal.key_id);
end;
$$;
comment on function audit.seal(bigint, xid8, xid8, bigint, bytea, bytea, bytea, bytea, bytea, text) is
'Operators: stores an epoch that was signed outside, if it follows the last one and lies behind the horizon. Raises CX097.';

create function audit.purge(before timestamptz)
returns bigint
language plpgsql
volatile
set search_path = ''
as $$
declare
    gone bigint;
begin
    -- From the oldest on, without gaps, and never the last one: the head stays to be compared with the anchor.
    update audit.epochs as e set purged_at = now()
    where e.sealed_at < purge.before and e.purged_at is null
        and e.n < (select max(l.n) from audit.epochs as l)
        and not exists (select 1 from audit.epochs as o where o.n < e.n and o.sealed_at >= purge.before)
        and not exists (
            select 1 from audit.events as v where v.xid >= e.from_xid and v.xid < e.to_xid and v.at >= purge.before
        );
    if not found then
        return 0;
    end if;
    delete from audit.events as v
    using audit.epochs as e
    where e.purged_at = now() and v.xid >= e.from_xid and v.xid < e.to_xid;
    get diagnostics gone = row_count;
    return gone;
end;
$$;
comment on function audit.purge(timestamptz) is 'Operators: deletes the events of whole epochs whose time is over; roots and signatures stay. Answers how many.';

revoke execute on all functions in schema audit from public;
revoke all on all tables in schema audit from public, anon, authenticated, service_role;
