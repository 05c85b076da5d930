-- Disclosures: who received what about whom, read from the rows that are the record, and told when it was wrong.
--
-- Owns      privacy.past_disclosures, correction_legs; public.invoice_corrections; privacy.disclosed, rectify, correct_invoice.
-- Callers   operators through the console; worker_stripe settles its leg; people ask who was told.
-- Undo      forward only: a mistake is repaired by the next migration.
--
-- A message row, a call, an export, a customer at Stripe already says what went to whom, and when: a second row per message would
-- cost every send and say nothing new. Only what retention deletes leaves a row behind, one per thread and recipient, so that the
-- six months of CCQ art. 40 can be answered although the messages are gone.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

insert into privacy.retention_rules (rule, keep_for, counted_from, says_en, says_fr) values
(
    'disclosure', interval '7 months', 'the disclosure',
    'Seven months: who received something in the six months before a request (CCQ art. 40)',
    'Sept mois : qui a reçu quelque chose dans les six mois précédant une demande (art. 40 C.c.Q.)'
);

create table privacy.past_disclosures (
    org_id uuid not null,
    conversation_id uuid not null,
    processor text not null,
    last_at timestamptz not null,

    constraint past_disclosures_pkey primary key (org_id, conversation_id, processor),
    constraint past_disclosures_conversation_fkey foreign key (org_id, conversation_id)
    references public.conversations (org_id, id) on delete cascade,
    constraint past_disclosures_processor_fkey foreign key (processor) references privacy.processors (processor)
);
create index past_disclosures_processor_idx on privacy.past_disclosures (processor);
create index past_disclosures_last_idx on privacy.past_disclosures (last_at);
comment on table privacy.past_disclosures is
'That a provider carried something to a person whose messages or calls were deleted since. References only; gone after seven months.';

create function privacy.remember_messages()
returns trigger
language plpgsql
volatile
security definer  -- whoever deletes has no right to write here
set search_path = ''
as $$
begin
    -- A thread that goes as well needs no memory; what is older than the rule is not asked for.
    insert into privacy.past_disclosures as p (org_id, conversation_id, processor, last_at)
    select g.org_id, g.conversation_id, g.provider, max(g.occurred_at)
    from gone as g
    where g.direction = 'outbound' and g.state not in ('queued', 'failed') and g.occurred_at > now() - interval '7 months'
        and exists (select 1 from public.conversations as v where v.org_id = g.org_id and v.id = g.conversation_id)
    group by g.org_id, g.conversation_id, g.provider
    on conflict on constraint past_disclosures_pkey do update set last_at = greatest(p.last_at, excluded.last_at);
    return null;
end;
$$;
comment on function privacy.remember_messages() is
'Statement trigger: messages that are deleted leave that they went out, per thread and provider. Costs a delete, never a send.';
create trigger messages_delete_remember after delete on public.messages
referencing old table as gone for each statement execute function privacy.remember_messages();

create function privacy.remember_calls()
returns trigger
language plpgsql
volatile
security definer  -- whoever deletes has no right to write here
set search_path = ''
as $$
begin
    -- A thread that goes as well needs no memory; what is older than the rule is not asked for.
    insert into privacy.past_disclosures as p (org_id, conversation_id, processor, last_at)
    select g.org_id, g.conversation_id, g.provider, max(g.started_at)
    from gone as g
    where g.direction = 'outbound' and g.state not in ('queued', 'failed') and g.started_at > now() - interval '7 months'
        and exists (select 1 from public.conversations as v where v.org_id = g.org_id and v.id = g.conversation_id)
    group by g.org_id, g.conversation_id, g.provider
    on conflict on constraint past_disclosures_pkey do update set last_at = greatest(p.last_at, excluded.last_at);
    return null;
end;
$$;
comment on function privacy.remember_calls() is
'Statement trigger: calls that are deleted leave that they went out, per thread and provider. Costs a delete, never a send.';
create trigger calls_delete_remember after delete on public.calls
referencing old table as gone for each statement execute function privacy.remember_calls();

-- Who received what ----------------------------------------------------------------------------------------

create function privacy.disclosed(org_id uuid, run_id uuid, since timestamptz)
returns table (recipient text, kind text, what text, last_at timestamptz)
language sql
stable
set search_path = ''
as $$
    with about as (
        select e.subject_kind, privacy.keys(e.org_id, e.id, 'conversation')::uuid[] as threads
        from privacy.erasures as e where e.org_id = disclosed.org_id and e.id = disclosed.run_id
    )

    select m.provider, 'processor', 'messages', max(m.occurred_at)
    from about as a
    inner join public.messages as m on m.org_id = disclosed.org_id and m.conversation_id = any(a.threads)
    where m.direction = 'outbound' and m.state not in ('queued', 'failed') and m.occurred_at >= disclosed.since
    group by m.provider
    union all
    select c.provider, 'processor', 'calls', max(c.started_at)
    from about as a
    inner join public.calls as c on c.org_id = disclosed.org_id and c.conversation_id = any(a.threads)
    where c.direction = 'outbound' and c.state not in ('queued', 'failed') and c.started_at >= disclosed.since
    group by c.provider
    union all
    select p.processor, 'processor', 'deleted since', max(p.last_at)
    from about as a
    inner join privacy.past_disclosures as p on p.org_id = disclosed.org_id and p.conversation_id = any(a.threads)
    where p.last_at >= disclosed.since
    group by p.processor
    union all
    -- A copy that went to the person is theirs; one that went to who speaks for them has to be told.
    select 'export ' || x.id, 'person', 'export to a ' || r.authority, x.ready_at
    from about as a
    inner join public.privacy_requests as r on r.org_id = disclosed.org_id and r.subject_kind = a.subject_kind
    inner join public.data_exports as x on r.org_id = x.org_id and r.id = x.request_id
    where r.authority not in ('self', 'unproven') and x.ready_at >= disclosed.since and (
        a.subject_kind = 'organization'
        or r.subject_customer_id::text = any(privacy.keys(disclosed.org_id, disclosed.run_id, 'customer'))
        or r.subject_conversation_id = any(a.threads)
        or r.subject_user_id::text = any(privacy.keys(disclosed.org_id, disclosed.run_id, 'user'))
    )
    union all
    select 'stripe', 'processor', 'customer', coalesce(b.synced_at, b.updated_at)
    from about as a
    inner join public.billing_accounts as b on b.org_id = disclosed.org_id
    where a.subject_kind = 'organization' and b.stripe_customer_id is not null;
$$;
comment on function privacy.disclosed(uuid, uuid, timestamptz) is
'The log of disclosures for the subject of a run: who received what, and when last. A union over the rows that are the record, and what '
'is remembered of deleted ones. Exports to the person are theirs and no disclosure.';

create function privacy.disclosures_about(org_id uuid, about public.privacy_requests, since timestamptz)
returns table (recipient text, kind text, what text, last_at timestamptz)
language plpgsql
volatile
set search_path = ''
as $$
declare
    run privacy.erasures;
begin
    insert into privacy.erasures as e (org_id, subject_kind)
    values (disclosures_about.org_id, about.subject_kind) returning e.* into run;
    perform privacy.collect_keys(run, about);
    return query select d.* from privacy.disclosed(run.org_id, run.id, disclosures_about.since) as d;
    delete from privacy.erasures as e where e.org_id = run.org_id and e.id = run.id;
end;
$$;
comment on function privacy.disclosures_about(uuid, public.privacy_requests, timestamptz) is
'The log of disclosures for the subject of a request, real or made up to ask with.';

-- squawk-ignore ban-drop-function
drop function privacy.recipients_of(uuid, uuid, timestamptz);

-- Telling them ---------------------------------------------------------------------------------------------

create table privacy.correction_legs (
    org_id uuid not null,
    request_id uuid not null,
    recipient text not null,
    kind text not null,
    state text not null,
    reason text not null,
    last_at timestamptz,
    told_by text,
    updated_at timestamptz not null default now(),

    constraint correction_legs_pkey primary key (org_id, request_id, recipient),
    constraint correction_legs_request_fkey foreign key (org_id, request_id)
    references public.privacy_requests (org_id, id) on delete cascade,
    constraint correction_legs_kind_known check (kind in ('processor', 'person', 'nobody')),
    constraint correction_legs_state_known check (state in ('pending', 'manual', 'confirmed', 'not_applicable', 'failed')),
    constraint correction_legs_reason_shape check (length(reason) between 1 and 300),
    constraint correction_legs_told_by_shape check (told_by ~ '^[a-z0-9][a-z0-9._-]{0,39}$')
);
comment on table privacy.correction_legs is
'Who has to be told of a correction (CCQ art. 40; GDPR Art. 19), and whether they were: pending for a job, manual for you, confirmed '
'with its evidence. Nobody to tell is a row too, with its proof: none is never silent.';

create function privacy.set_correction_legs(about public.privacy_requests, run privacy.erasures, column_name text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
    since constant timestamptz := about.received_at - interval '6 months';
begin
    insert into privacy.correction_legs as l (org_id, request_id, recipient, kind, state, reason, last_at)
    select
        about.org_id, about.id, d.recipient, d.kind,
        case
            when d.recipient <> 'stripe' then 'manual'
            when column_name = 'billing_email' then 'pending'
            else 'not_applicable'
        end,
        case
            when d.recipient = 'meta' then 'Meta has no API to correct what was sent: write again in the thread, or ask Meta'
            when d.recipient = 'telnyx' then 'Detail records have no API for correcting: ask Telnyx in writing'
            when d.recipient = 'stripe' and column_name = 'billing_email' then 'Waiting until Stripe has the new address'
            when d.recipient = 'stripe' then 'Stripe has the billing address only, which was not corrected'
            when d.kind = 'person' then 'Tell who received the copy, or give them a new one'
            else 'Tell them, and record how'
        end,
        max(d.last_at)
    from privacy.disclosed(about.org_id, run.id, since) as d
    group by d.recipient, d.kind
    -- Corrected again is to be told again.
    on conflict on constraint correction_legs_pkey
    do update set state = excluded.state, reason = excluded.reason, last_at = excluded.last_at, told_by = null, updated_at = now();
    if exists (
        select 1 from privacy.correction_legs as l
        where l.org_id = about.org_id and l.request_id = about.id and l.kind <> 'nobody'
    ) then
        delete from privacy.correction_legs as l where l.org_id = about.org_id and l.request_id = about.id and l.kind = 'nobody';
    else
        insert into privacy.correction_legs as l (org_id, request_id, recipient, kind, state, reason)
        values (
            about.org_id, about.id, 'nobody', 'nobody', 'not_applicable',
            'No message, call, export or customer at Stripe about them since ' || (since at time zone 'UTC')::date
        )
        on conflict on constraint correction_legs_pkey do update set reason = excluded.reason, updated_at = now();
    end if;
    if column_name = 'billing_email' and exists (
        select 1 from privacy.correction_legs as l
        where l.org_id = about.org_id and l.request_id = about.id and l.recipient = 'stripe' and l.state = 'pending'
    ) then
        perform queue.add(
            'stripe', 'stripe.correct', about.org_id, jsonb_build_object('request_id', about.id), 'customer:' || about.org_id,
            null, 0::smallint, null, 8::smallint
        );
    end if;
end;
$$;
comment on function privacy.set_correction_legs(public.privacy_requests, privacy.erasures, text) is
'Says who received something of the subject in the six months before the request, and has Stripe told by a job.';

create function privacy.require_told()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    if exists (
        select 1 from privacy.correction_legs as l
        where l.org_id = new.org_id and l.request_id = new.id and l.state in ('pending', 'manual', 'failed')
    ) then
        raise exception 'not everybody who received it was told of the correction'
        using errcode = 'CX098', hint = 'connext privacy request show names them; told records how.';
    end if;
    return new;
end;
$$;
comment on function privacy.require_told() is 'Row trigger: a correction is completed only when its recipients were told. Raises CX098.';
create trigger privacy_requests_update_told before update of status on public.privacy_requests
for each row when (new.status = 'completed' and old.status <> 'completed' and new.kind = 'rectification')
execute function privacy.require_told();

create function privacy.told(org_id uuid, request_id uuid, recipient text, by_whom text, evidence text)
returns privacy.correction_legs
language plpgsql
volatile
set search_path = ''
as $$
declare
    done privacy.correction_legs;
begin
    perform privacy.locked_request(told.org_id, told.request_id);
    if nullif(btrim(told.evidence), '') is null or told.by_whom is null then
        raise exception 'say how they were told, and who told them'
        using errcode = 'CX006', hint = 'Like: letter of 3 May, reference 4711.';
    end if;
    update privacy.correction_legs as l
    set state = 'confirmed', reason = btrim(told.evidence), told_by = told.by_whom, updated_at = now()
    where l.org_id = told.org_id and l.request_id = told.request_id and l.recipient = told.recipient and l.kind <> 'nobody'
    returning l.* into done;
    if done.recipient is null then
        raise exception 'no such recipient of this correction'
        using errcode = 'CX003', hint = 'connext privacy request show names them.';
    end if;
    insert into audit.events (org_id, actor, kind, details)
    values (done.org_id, session_user, 'correction.told', jsonb_build_object('request', done.request_id));
    return done;
end;
$$;
comment on function privacy.told(uuid, uuid, text, text, text) is
'Operators: records how a recipient was told of a correction, and by whom. Raises CX003, CX006, CX090.';

create function private.settle_correction(request_id uuid, state text, reason text)
returns boolean
language plpgsql
volatile
security definer  -- the worker sees no request
set search_path = ''
as $$
declare
    org constant uuid := private.leased_org('stripe');
begin
    if settle_correction.state not in ('confirmed', 'not_applicable', 'failed') then
        raise exception 'a job ends a leg as confirmed, not_applicable or failed'
        using errcode = 'CX006', hint = 'Give one of these.';
    end if;
    update privacy.correction_legs as l
    set state = settle_correction.state, reason = settle_correction.reason, updated_at = now()
    where l.org_id = org and l.request_id = settle_correction.request_id and l.recipient = 'stripe' and l.state in ('pending', 'failed');
    return found;
end;
$$;
comment on function private.settle_correction(uuid, text, text) is
'worker_stripe, within a job of the organization: how telling Stripe of a correction ended. Raises CX006.';

create function private.request_recipients(request_id uuid)
returns table (recipient text, state text, last_at timestamptz, told_at timestamptz)
language plpgsql
volatile
security definer  -- nobody has a grant on the legs
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('org.read');
begin
    if not exists (
        select 1 from public.privacy_requests as r
        where r.org_id = org and r.id = request_recipients.request_id
            and (private.current_org('privacy.manage') is not null or (select auth.uid()) in (r.subject_user_id, r.requested_by))
    ) then
        raise exception 'no such request of yours in this organization'
        using errcode = 'CX003', hint = 'Reload the list.';
    end if;
    return query
    select coalesce(p.name, l.recipient), l.state, l.last_at, case when l.state = 'confirmed' then l.updated_at end
    from privacy.correction_legs as l
    left join privacy.processors as p on l.recipient = p.processor
    where l.org_id = org and l.request_id = request_recipients.request_id and l.kind <> 'nobody'
    order by 1;
end;
$$;
comment on function private.request_recipients(uuid) is 'Guarded half of public.request_recipients.';

create function public.request_recipients(request_id uuid)
returns table (recipient text, state text, last_at timestamptz, told_at timestamptz)
language sql
volatile
set search_path = ''
as $$
    select r.recipient, r.state, r.last_at, r.told_at from private.request_recipients(request_id) as r;
$$;
comment on function public.request_recipients(uuid) is
'Who received what a request corrected, and whether they were told (GDPR Art. 19): for who made the request or is its subject, and for '
'whoever has the permission privacy.manage. Returns recipient, state, when they last received something, when they were told. '
'Raises CX001, CX003.';

-- Correcting -----------------------------------------------------------------------------------------------

-- squawk-ignore ban-drop-function
drop function privacy.rectify(uuid, uuid, text, text, uuid, text);
create function privacy.rectify(
    org_id uuid, request_id uuid, table_name text, column_name text, row_id uuid, value text
)
returns table (recipient text, last_at timestamptz, state text, reason text)
language plpgsql
volatile
set search_path = ''
as $$
declare
    about constant public.privacy_requests := privacy.locked_request(rectify.org_id, rectify.request_id);
    run privacy.erasures;
    was text;
    mine text;
begin
    if about.kind <> 'rectification' then
        raise exception 'the request asks for no correction'
        using errcode = 'CX006', hint = 'Open one of kind rectification.';
    end if;
    perform privacy.require_ready(about);
    insert into privacy.erasures as e (org_id, subject_kind) values (about.org_id, about.subject_kind) returning e.* into run;
    perform privacy.collect_keys(run, about);
    if rectify.table_name = 'public.billing_accounts' and rectify.column_name = 'billing_email'
        and about.subject_kind = 'organization' and rectify.row_id = about.org_id
    then
        update public.billing_accounts as b set billing_email = private.normalize_email(rectify.value)
        where b.org_id = about.org_id;
        if not found then
            raise exception 'the organization has no billing address'
            using errcode = 'CX003', hint = 'It never began to subscribe.';
        end if;
    else
        if not exists (
            select 1 from privacy.catalog as c
            inner join privacy.stored_columns as s on c.table_name = s.table_name and c.column_name = s.column_name
            where c.table_name = rectify.table_name and c.column_name = rectify.column_name and s.type_name = 'text'
                and c.category in ('identity', 'contact', 'location', 'content') and c.erasure <> 'keep' and c.origin <> 'inferred'
        ) or not privacy.has_column(rectify.table_name, 'id') then
            raise exception 'this column is not corrected by hand'
            using errcode = 'CX006', hint = 'A text about the person; what law keeps is corrected by a new document.';
        end if;
        mine := privacy.rows_of(rectify.table_name, run.subject_kind, array['erase']);
        execute format('select t.%I from %s as t where t.id = $3 and %s', rectify.column_name, rectify.table_name, mine)
        into was using run.org_id, run.id, rectify.row_id;
        if was is null then
            raise exception 'no such value of this person in this organization'
            using errcode = 'CX003', hint = 'Make an export of theirs: it names the rows.';
        end if;
        execute format('update %1$s as t set %2$I = $4 where t.id = $3 and %3$s', rectify.table_name, rectify.column_name, mine)
        using run.org_id, run.id, rectify.row_id, rectify.value;
        -- The name a provider gave the thread is a copy of the customer's.
        if rectify.table_name = 'public.customers' and rectify.column_name = 'display_name' then
            update public.conversations as v set contact_name = rectify.value
            where v.org_id = run.org_id and v.contact_name = was
                and v.id::text = any(privacy.keys(run.org_id, run.id, 'conversation'));
        end if;
    end if;
    insert into audit.events (org_id, actor, kind, details)
    values (
        run.org_id, session_user, 'request.rectified',
        jsonb_build_object('request', about.id, 'table', rectify.table_name)
    );
    perform privacy.set_correction_legs(about, run, rectify.column_name);
    delete from privacy.erasures as e where e.org_id = run.org_id and e.id = run.id;
    return query
    select coalesce(p.name, l.recipient), l.last_at, l.state, l.reason
    from privacy.correction_legs as l
    left join privacy.processors as p on l.recipient = p.processor
    where l.org_id = about.org_id and l.request_id = about.id and l.kind <> 'nobody'
    order by 1;
end;
$$;
comment on function privacy.rectify(uuid, uuid, text, text, uuid, text) is
'Operators: corrects one value of the subject and its copies, keeps the old one nowhere, and says who received it in the last six '
'months and how they are told. An issued invoice refuses: privacy.correct_invoice. Raises CX003, CX006, CX042, CX090, CX093, CX094.';

create table public.invoice_corrections (
    org_id uuid not null,
    id uuid not null default private.uuid_v7(),
    invoice_id uuid not null,
    field text not null,
    value text,
    replaced_by uuid,
    request_id uuid,
    corrected_at timestamptz not null default now(),

    constraint invoice_corrections_pkey primary key (org_id, id),
    constraint invoice_corrections_invoice_fkey foreign key (org_id, invoice_id)
    references public.invoices (org_id, id) on delete cascade,
    constraint invoice_corrections_replaced_by_fkey foreign key (org_id, replaced_by) references public.invoices (org_id, id),
    constraint invoice_corrections_request_fkey foreign key (org_id, request_id)
    references public.privacy_requests (org_id, id) on delete set null (request_id),
    constraint invoice_corrections_field_known check (
        field in ('name', 'email', 'line1', 'line2', 'city', 'region', 'postal_code', 'country')
    ),
    constraint invoice_corrections_value_shape check (length(btrim(value)) between 1 and 500),
    constraint invoice_corrections_one_way check (num_nonnulls(value, replaced_by) <= 1)
);
create index invoice_corrections_invoice_idx on public.invoice_corrections (org_id, invoice_id);
create index invoice_corrections_replaced_by_idx on public.invoice_corrections (org_id, replaced_by);
create index invoice_corrections_request_idx on public.invoice_corrections (org_id, request_id);
comment on table public.invoice_corrections is
'What an issued invoice says wrongly of its customer, and what is right: the entry beside it, because the invoice itself is final. '
'Either it was voided and issued again (replaced_by), or it is paid and carries the right value here.';

create function private.invoice_corrections_stay()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
    -- Erasing the person empties the value, and the request goes after its years.
    if (to_jsonb(new) - array['value', 'request_id']) = (to_jsonb(old) - array['value', 'request_id'])
        and (new.value is null or new.value = old.value) and (new.request_id is null or new.request_id = old.request_id)
    then
        return new;
    end if;
    raise exception 'a correction is not rewritten'
    using errcode = 'CX042', hint = 'Enter another one.';
end;
$$;
comment on function private.invoice_corrections_stay() is 'Row trigger: corrections are only added, and emptied by an erasure. Raises CX042.';
create trigger invoice_corrections_update_stays before update on public.invoice_corrections
for each row execute function private.invoice_corrections_stay();

create function private.reissue_invoice(wrong public.invoices, why text)
returns public.invoices
language plpgsql
volatile
set search_path = ''
as $$
declare
    today constant date := private.local_date(wrong.org_id);
    made public.invoices;
begin
    update public.invoices as i set status = 'void', voided_at = now(), void_reason = reissue_invoice.why
    where i.org_id = wrong.org_id and i.id = wrong.id;
    perform private.post_invoice_void(wrong.org_id, wrong.id);
    insert into public.invoices as i (org_id, order_id, customer_id, currency, memo, due_date)
    values (
        wrong.org_id, wrong.order_id, wrong.customer_id, wrong.currency, wrong.memo,
        case when wrong.due_date >= today then wrong.due_date end
    )
    returning i.* into made;
    insert into public.invoice_items (
        org_id, invoice_id, position, product_id, description, quantity, unit_price_minor, discount_ppm, tax_codes
    )
    select t.org_id, made.id, t.position, t.product_id, t.description, t.quantity, t.unit_price_minor, t.discount_ppm, t.tax_codes
    from public.invoice_items as t
    where t.org_id = wrong.org_id and t.invoice_id = wrong.id;
    -- At the rates of the day of the first one: it is the same sale.
    perform private.recompute_invoice(made.org_id, made.id, wrong.issue_date);
    select i.* into made from public.invoices as i where i.org_id = made.org_id and i.id = made.id;
    made := private.freeze_invoice(made, today);
    perform private.post_invoice(made.org_id, made.id);
    return made;
end;
$$;
comment on function private.reissue_invoice(public.invoices, text) is
'Voids an unpaid invoice and issues it again, for the customer as they are now and at the rates of its day.';

create function privacy.correct_invoice(
    org_id uuid, request_id uuid, invoice_id uuid, field text, value text, reissue boolean default true
)
returns public.invoice_corrections
language plpgsql
volatile
set search_path = ''
as $$
declare
    about constant public.privacy_requests := privacy.locked_request(correct_invoice.org_id, correct_invoice.request_id);
    run privacy.erasures;
    wrong public.invoices;
    again public.invoices;
    mine boolean;
    made public.invoice_corrections;
begin
    if about.kind <> 'rectification' then
        raise exception 'the request asks for no correction'
        using errcode = 'CX006', hint = 'Open one of kind rectification.';
    end if;
    perform privacy.require_ready(about);
    insert into privacy.erasures as e (org_id, subject_kind) values (about.org_id, about.subject_kind) returning e.* into run;
    perform privacy.collect_keys(run, about);
    select i.* into wrong from public.invoices as i
    where i.org_id = about.org_id and i.id = correct_invoice.invoice_id
    for update;
    execute format(
        'select exists (select 1 from public.invoices as t where t.id = $3 and %s)',
        privacy.rows_of('public.invoices', run.subject_kind, array['erase'])
    ) into mine using run.org_id, run.id, wrong.id;
    if not mine then
        raise exception 'no such invoice of this person in this organization'
        using errcode = 'CX003', hint = 'Make an export of theirs: it names the rows.';
    end if;
    if wrong.status = 'draft' then
        raise exception 'a draft is corrected itself'
        using errcode = 'CX006', hint = 'Correct the customer: the invoice takes what it says from there when it is issued.';
    end if;
    if correct_invoice.reissue and wrong.status = 'open' and wrong.paid_minor = 0 then
        again := private.reissue_invoice(wrong, 'Issued again: what it said of the customer was corrected');
        if to_jsonb(again) ->> ('bill_to_' || correct_invoice.field) is distinct from correct_invoice.value then
            raise exception 'the new invoice would not say this'
            using errcode = 'CX006', hint = 'Correct the customer, address or contact first (privacy rectify), then the invoice.';
        end if;
    end if;
    insert into public.invoice_corrections as c (org_id, invoice_id, field, value, replaced_by, request_id)
    values (
        wrong.org_id, wrong.id, correct_invoice.field, case when again.id is null then correct_invoice.value end, again.id, about.id
    )
    returning c.* into made;
    insert into audit.events (org_id, actor, kind, details)
    values (
        run.org_id, session_user, 'request.rectified',
        jsonb_build_object('request', about.id, 'table', 'public.invoices', 'entry', made.id)
    );
    perform privacy.set_correction_legs(about, run, correct_invoice.field);
    delete from privacy.erasures as e where e.org_id = run.org_id and e.id = run.id;
    return made;
end;
$$;
comment on function privacy.correct_invoice(uuid, uuid, uuid, text, text, boolean) is
'Operators: corrects what an issued invoice says of its customer, by an entry. Unpaid, it is voided and issued again; paid or in part, '
'or where the organization cannot issue, the entry beside it says what is right. Raises CX003, CX006, CX061, CX070, CX090, CX093, CX094.';

-- Its time is over -----------------------------------------------------------------------------------------

create function privacy.purge_disclosures()
returns integer
language plpgsql
volatile
security definer  -- upkeep may not see what it deletes
set search_path = ''
as $$
declare
    gone integer := 0;
    n integer;
begin
    delete from privacy.past_disclosures as p
    where p.last_at < now() - (select r.keep_for from privacy.retention_rules as r where r.rule = 'disclosure');
    get diagnostics gone = row_count;
    -- A grant lasts three days at most: its reads are as old as it, or nearly.
    delete from public.support_grants as g where g.id < private.uuid_at(now() - interval '5 years 4 days');
    get diagnostics n = row_count;
    return gone + n;
end;
$$;
comment on function privacy.purge_disclosures() is
'Deletes what is remembered of disclosures after seven months, and the record of support access after five years. Run daily by worker_privacy.';
insert into queue.schedules (queue, kind, every) values ('upkeep', 'upkeep.purge_disclosures', '1 day');

revoke execute on all functions in schema privacy from public;
revoke execute on all functions in schema private from public;
revoke all on table privacy.past_disclosures, privacy.correction_legs, public.invoice_corrections
from public, anon, authenticated, service_role;
revoke execute on function public.request_recipients(uuid) from public, anon, service_role;
grant execute on function private.request_recipients(uuid), public.request_recipients(uuid) to authenticated;
grant execute on function private.settle_correction(uuid, text, text) to worker_stripe;
grant execute on function privacy.purge_disclosures() to worker_privacy;
