-- Sealing by a worker: what it may read and store, which key signed, and what is anchored outside.
--
-- Owns      audit.signing_keys; audit.sealable_range, sealable_events, seal_signed, unanchored, anchored; epochs.anchored_at.
-- Callers   worker_privacy (upkeep.seal_audit) and operators (connext audit seal).
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table audit.signing_keys (
    key_id text not null,
    public_key bytea not null,
    first_used_at timestamptz not null default clock_timestamp(),

    constraint signing_keys_pkey primary key (key_id),
    constraint signing_keys_name_is_its_digest check (key_id = upper(left(encode(sha256(public_key), 'hex'), 40))),
    constraint signing_keys_length check (length(public_key) = 32)
);
comment on table audit.signing_keys is
'The public halves that signed epochs, so that old ones verify after the key changed. Who verifies pins the ids they know.';
create trigger signing_keys_are_append_only before update or delete on audit.signing_keys
for each row execute function audit.keep();
create trigger signing_keys_truncate_never before truncate on audit.signing_keys
for each statement execute function audit.events_are_append_only();

alter table audit.epochs add column anchored_at timestamptz;
comment on column audit.epochs.anchored_at is 'When it was written outside; what is not yet is tried again. The anchor itself is the proof.';

create or replace function audit.keep()
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
        if (to_jsonb(new) - array['purged_at', 'anchored_at']) = (to_jsonb(old) - array['purged_at', 'anchored_at'])
            and (old.purged_at is null or new.purged_at = old.purged_at)
            and (old.anchored_at is null or new.anchored_at = old.anchored_at)
        then
            return new;
        end if;
    end if;
    raise exception 'the audit is never changed or deleted'
    using errcode = 'CX006', hint = 'Record a new event; whole epochs are purged by audit.purge.';
end;
$$;

create function audit.sealable_range(most bigint default null)
returns table (n bigint, from_xid bigint, to_xid bigint, prev bytea)
language plpgsql
volatile
security definer  -- worker_privacy has no right on the tables
set search_path = ''
as $$
declare
    last audit.epochs;
    edge xid8;
    cut xid8;
begin
    -- One sealer at a time: the second waits, and then goes on where the first one ended.
    perform pg_advisory_xact_lock(hashtextextended('audit.seal', 0));
    select e.* into last from audit.epochs as e order by e.n desc limit 1;
    edge := audit.horizon();
    n := coalesce(last.n, 0) + 1;
    prev := coalesce(last.hash, decode(repeat('00', 32), 'hex'));
    from_xid := coalesce(last.to_xid, '0'::xid8)::text::bigint;
    if most is not null then
        select v.xid into cut from audit.events as v
        where v.xid >= coalesce(last.to_xid, '0'::xid8) and v.xid < edge
        order by v.xid offset sealable_range.most limit 1;
        -- What one transaction wrote stays in one epoch, however much it is.
        if cut = (select v.xid from audit.events as v where v.xid >= coalesce(last.to_xid, '0'::xid8) order by v.xid limit 1) then
            select v.xid into cut from audit.events as v where v.xid > cut and v.xid < edge order by v.xid limit 1;
        end if;
        edge := coalesce(cut, edge);
    end if;
    to_xid := edge::text::bigint;
    return next;
end;
$$;
comment on function audit.sealable_range(bigint) is
'The next epoch''s number, range and predecessor, behind the horizon and of about so many events at most; holds the sealers'' lock until '
'the transaction ends.';

create function audit.sealable_events(from_xid bigint, to_xid bigint, after_id bigint, most integer)
returns table (id bigint, at_us bigint, org_id text, actor text, kind text, details jsonb)
language sql
stable
security definer  -- worker_privacy has no right on the table; events hold references only
set search_path = ''
as $$
    select v.id, (extract(epoch from v.at) * 1000000)::bigint, v.org_id::text, v.actor, v.kind, v.details
    from audit.events as v
    where v.xid >= sealable_events.from_xid::text::xid8 and v.xid < sealable_events.to_xid::text::xid8
        and v.xid < audit.horizon() and v.id > sealable_events.after_id
    order by v.id
    limit sealable_events.most;
$$;
comment on function audit.sealable_events(bigint, bigint, bigint, integer) is 'A page of the events of a range behind the horizon, in the order of their ids.';

create function audit.seal_signed(
    n bigint, from_xid bigint, to_xid bigint, events bigint, root bytea, prev bytea, hash bytea, body bytea, signature bytea,
    public_key bytea
)
returns void
language plpgsql
volatile
security definer  -- worker_privacy has no right on the tables
set search_path = ''
as $$
declare
    key constant text := upper(left(encode(sha256(seal_signed.public_key), 'hex'), 40));
begin
    insert into audit.signing_keys (key_id, public_key) values (key, seal_signed.public_key) on conflict do nothing;
    perform audit.seal(
        seal_signed.n, seal_signed.from_xid::text::xid8, seal_signed.to_xid::text::xid8, seal_signed.events, seal_signed.root,
        seal_signed.prev, seal_signed.hash, seal_signed.body, seal_signed.signature, key
    );
end;
$$;
comment on function audit.seal_signed(bigint, bigint, bigint, bigint, bytea, bytea, bytea, bytea, bytea, bytea) is
'Stores an epoch that was signed outside, and the public half that signed it, if it follows the last one. Raises CX097.';

create function audit.unanchored(most integer default 100)
returns table (n bigint, body bytea, signature bytea, key_id text, public_key bytea)
language sql
stable
security definer  -- worker_privacy has no right on the tables
set search_path = ''
as $$
    select e.n, e.body, e.signature, e.key_id, k.public_key
    from audit.epochs as e
    inner join audit.signing_keys as k on e.key_id = k.key_id
    where e.anchored_at is null
    order by e.n
    limit unanchored.most;
$$;
comment on function audit.unanchored(integer) is 'Epochs that are not known to stand outside, the oldest first.';

create function audit.anchored(numbers bigint[])
returns integer
language plpgsql
volatile
security definer  -- worker_privacy has no right on the tables
set search_path = ''
as $$
declare
    noted integer;
begin
    update audit.epochs as e set anchored_at = clock_timestamp() where e.n = any(anchored.numbers) and e.anchored_at is null;
    get diagnostics noted = row_count;
    return noted;
end;
$$;
comment on function audit.anchored(bigint[]) is 'Notes that epochs stand outside; answers how many were not noted yet.';

revoke execute on all functions in schema audit from public;
revoke all on table audit.signing_keys from public, anon, authenticated, service_role;
grant execute on function
audit.sealable_range(bigint),
audit.sealable_events(bigint, bigint, bigint, integer),
audit.seal_signed(bigint, bigint, bigint, bigint, bytea, bytea, bytea, bytea, bytea, bytea),
audit.unanchored(integer),
audit.anchored(bigint[])
to worker_privacy;

insert into queue.schedules (queue, kind, every) values ('upkeep', 'upkeep.seal_audit', '1 hour');
