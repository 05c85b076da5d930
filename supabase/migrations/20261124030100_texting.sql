-- Texting: what may be sent to whom, how many parts it has, and the request that is repeated.
--
-- Owns      private.send_requests, the checks of outgoing texts, public.start_conversation, text_parts.
-- Callers   signed-in people through public.*; the worker of Telnyx for its own rows.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create table private.send_requests (
    org_id uuid not null,
    message_id uuid not null,
    provider text not null default 'telnyx',
    body text not null,
    tried_at timestamptz not null default now(),

    constraint send_requests_pkey primary key (org_id, message_id),
    constraint send_requests_message_fkey foreign key (org_id, message_id, provider)
    references public.messages (org_id, id, provider) on delete cascade,
    constraint send_requests_provider_known check (provider = 'telnyx')
);
create index send_requests_message_idx on private.send_requests (org_id, message_id, provider);
comment on table private.send_requests is
'The request of a text under way, written once: a repeat with the same key must be the same byte for byte. Deleted when its fate is known.';
comment on column private.send_requests.tried_at is 'When it was first sent: for 24 hours repeating it cannot send it twice.';

-- Where a number is ---------------------------------------------------------------------------------

create function private.phone_country(phone text)
returns text
language sql
stable
security definer  -- reads the numbering plans, which nobody has a grant on
set search_path = ''
as $$
    -- Country code 1 is shared: Canada and the islands by their area codes, the rest is the United States.
    select case
        when starts_with(phone, '+1') then case
            when substr(phone, 3, 3) = any(
                '{204,226,236,249,250,257,263,289,306,343,354,365,367,368,382,403,416,418,428,431,437,438,450,460,468,474,506,514,'
                '519,537,548,568,579,581,584,587,600,604,613,622,639,647,672,683,705,709,742,753,778,780,782,807,819,825,867,873,879,'
                '902,905,942}'::text[]
            ) then 'CA'
            else coalesce(
                (
                    select i.country
                    from (values
                        ('242', 'BS'), ('246', 'BB'), ('264', 'AI'), ('268', 'AG'), ('284', 'VG'), ('340', 'VI'), ('345', 'KY'),
                        ('441', 'BM'), ('473', 'GD'), ('649', 'TC'), ('658', 'JM'), ('664', 'MS'), ('670', 'MP'), ('671', 'GU'),
                        ('684', 'AS'), ('721', 'SX'), ('758', 'LC'), ('767', 'DM'), ('784', 'VC'), ('787', 'PR'), ('809', 'DO'),
                        ('829', 'DO'), ('849', 'DO'), ('868', 'TT'), ('869', 'KN'), ('876', 'JM'), ('939', 'PR'), ('900', 'XX')
                    ) as i (area, country)
                    where i.area = substr(phone, 3, 3)
                ), 'US'
            )
        end
        else (
            select r.country from private.phone_regions as r
            where r.main and starts_with(substr(phone, 2), r.calling_code)
        )
    end;
$$;
comment on function private.phone_country(text) is
'The country of an E.164 number, ISO 3166-1 alpha-2; XX is premium rate. Where countries share a code outside +1, the main one.';

create function private.require_destination(org_id uuid, phone text)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
    if not exists (
        select 1 from public.phone_settings as s
        where s.org_id = require_destination.org_id
            and private.phone_country(require_destination.phone) = any(s.allowed_countries)
    ) then
        raise exception 'texts and calls to this country are not allowed'
        using errcode = 'CX081', hint = 'Somebody who manages integrations can add the country with set_phone_settings.';
    end if;
end;
$$;
comment on function private.require_destination(uuid, text) is 'Raises CX081 unless the organization allows texts and calls to the number''s country.';

-- How long a text is ----------------------------------------------------------------------------------

create function private.text_parts(body text)
returns jsonb
language plpgsql
immutable
parallel safe
set search_path = ''
as $$
declare
    -- 3GPP TS 23.038: the basic alphabet, and what costs two places in it.
    basic constant text := E'@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&''()*+,-./0123456789:;<=>?¡'
        'ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
    extended constant text := E'\f^{}\\[~]|€';
    symbols constant text[] := regexp_split_to_array(coalesce(text_parts.body, ''), '');
    gsm boolean := true;
    units integer := 0;
    single integer;
    many integer;
    size integer;
    parts integer := 1;
    room integer;
    symbol text;
begin
    foreach symbol in array symbols loop
        if symbol <> '' and strpos(basic, symbol) = 0 and strpos(extended, symbol) = 0 then
            gsm := false;
            exit;
        end if;
    end loop;
    single := case when gsm then 160 else 70 end;
    many := case when gsm then 153 else 67 end;
    room := many;
    -- A character that takes two places is never cut: what does not fit begins the next part.
    foreach symbol in array symbols loop
        continue when symbol = '';
        size := case
            when gsm then 1 + (strpos(extended, symbol) > 0)::integer
            else 1 + (ascii(symbol) > 65535)::integer
        end;
        units := units + size;
        if size > room then
            parts := parts + 1;
            room := many;
        end if;
        room := room - size;
    end loop;
    if units <= single then
        parts := 1;
        room := single - units;
    end if;
    return jsonb_build_object(
        'encoding', case when gsm then 'GSM-7' else 'UCS-2' end, 'parts', case when units = 0 then 0 else parts end,
        'units', units, 'left', room, 'too_long', parts > 10
    );
end;
$$;
comment on function private.text_parts(text) is 'Guarded half of public.text_parts.';

-- What may leave --------------------------------------------------------------------------------------

create function private.check_text()
returns trigger
language plpgsql
volatile
security definer  -- reads opt_outs and settings for whoever sends
set search_path = ''
as $$
declare
    person text;
begin
    select c.contact_external_id into person
    from public.conversations as c
    where c.org_id = new.org_id and c.id = new.conversation_id;
    if exists (
        select 1 from public.opt_outs as o
        where o.org_id = new.org_id and o.channel_id = new.channel_id and o.contact = person and o.lifted_at is null
    ) then
        raise exception 'this person has asked not to be texted from this number'
        using errcode = 'CX080', hint = 'Only their own START allows it again. Call them, or use another way they agreed to.';
    end if;
    if person !~ '^\+[1-9][0-9]{6,14}$' then
        raise exception 'this sender cannot be answered: it is not a phone number'
        using errcode = 'CX081', hint = 'Senders with a name or a short code take no replies.';
    end if;
    perform private.require_destination(new.org_id, person);
    if (private.text_parts(new.body) ->> 'too_long')::boolean then
        raise exception 'a text has at most 10 parts'
        using errcode = 'CX082', hint = 'Shorten it; text_parts tells how long it is. Emoji make every part shorter.';
    end if;
    return new;
end;
$$;
comment on function private.check_text() is
'Row trigger: whatever way a text of ours comes into being, STOP, the allowed countries and the length are looked at. '
'Raises CX080, CX081, CX082.';

create trigger messages_insert_check_text before insert on public.messages
for each row when (new.provider = 'telnyx' and new.direction = 'outbound' and new.origin = 'app')
execute function private.check_text();

create function private.quiet_until(org_id uuid, moment timestamptz)
returns timestamptz
language sql
stable
set search_path = ''
as $$
    select case
        when s.quiet_from < s.quiet_until and l.clock >= s.quiet_from and l.clock < s.quiet_until
            then (l.day + s.quiet_until) at time zone o.timezone
        when s.quiet_from > s.quiet_until and l.clock >= s.quiet_from
            then (l.day + 1 + s.quiet_until) at time zone o.timezone
        when s.quiet_from > s.quiet_until and l.clock < s.quiet_until
            then (l.day + s.quiet_until) at time zone o.timezone
    end
    from public.phone_settings as s
    inner join public.organizations as o on s.org_id = o.id
    cross join lateral (
        select (quiet_until.moment at time zone o.timezone)::time as clock, (quiet_until.moment at time zone o.timezone)::date as day
    ) as l
    where s.org_id = quiet_until.org_id;
$$;
comment on function private.quiet_until(uuid, timestamptz) is 'When the quiet hours that hold at a moment are over; null outside of them.';

create function private.telnyx_obstacles(conversation_id uuid, moment timestamptz)
returns table (opted_out boolean, allowed boolean, quiet_until timestamptz)
language sql
stable
security definer  -- the worker sees neither the organization's settings nor its time zone
set search_path = ''
as $$
    select
        exists (
            select 1 from public.opt_outs as o
            where o.org_id = c.org_id and o.channel_id = c.channel_id and o.contact = c.contact_external_id and o.lifted_at is null
        ),
        coalesce(private.phone_country(c.contact_external_id) = any(s.allowed_countries), false),
        case
            when c.last_inbound_at > telnyx_obstacles.moment - interval '1 hour' then null
            else private.quiet_until(c.org_id, telnyx_obstacles.moment)
        end
    from public.conversations as c
    inner join public.phone_settings as s on c.org_id = s.org_id
    where c.org_id = private.leased_org('telnyx') and c.id = telnyx_obstacles.conversation_id;
$$;
comment on function private.telnyx_obstacles(uuid, timestamptz) is
'For the worker of Telnyx, again before a text leaves: STOP, the allowed countries, and quiet hours (not for an answer within the hour).';

create function private.line_of(org_id uuid, channel_id uuid)
returns public.channels
language plpgsql
stable
set search_path = ''
as $$
declare
    line public.channels;
begin
    select c.* into line
    from public.channels as c
    where c.org_id = line_of.org_id and c.id = line_of.channel_id and c.provider = 'telnyx';
    if line.id is null then
        raise exception 'no such number in this organization'
        using errcode = 'CX003', hint = 'Choose from channels those of the provider telnyx.';
    end if;
    if line.status <> 'active' or not exists (
        select 1 from public.integrations as i
        where i.org_id = line_of.org_id and i.id = line.integration_id and i.status = 'active'
    ) then
        raise exception 'this number is not connected'
        using errcode = 'CX011', hint = 'Connect it again in the settings.';
    end if;
    return line;
end;
$$;
comment on function private.line_of(uuid, uuid) is 'A connected number of an organization. Raises CX003, CX011.';

create function private.thread_with(line public.channels, phone text)
returns public.conversations
language plpgsql
volatile
set search_path = ''
as $$
declare
    thread public.conversations;
begin
    insert into public.conversations as c (org_id, provider, channel_id, contact_external_id, customer_id)
    values (
        line.org_id, 'telnyx', line.id, thread_with.phone,
        (
            select p.customer_id from public.contact_points as p
            where p.org_id = line.org_id and p.kind = 'phone' and p.value = thread_with.phone
        )
    )
    on conflict on constraint conversations_contact_key do nothing;
    select c.* into thread
    from public.conversations as c
    where c.org_id = line.org_id and c.channel_id = line.id and c.contact_external_id = thread_with.phone;
    return thread;
end;
$$;
comment on function private.thread_with(public.channels, text) is
'The conversation of a number with a person, opened if there is none, and with the customer whose number it is.';

create function private.start_conversation(channel_id uuid, phone text)
returns public.conversations
language plpgsql
volatile
security definer  -- clients have no insert grant on conversations
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('inbox.write');
    line public.channels;
    person text;
begin
    line := private.line_of(org, start_conversation.channel_id);
    person := private.normalize_phone(start_conversation.phone, (select o.country from public.organizations as o where o.id = org));
    perform private.require_destination(org, person);
    return private.thread_with(line, person);
end;
$$;
comment on function private.start_conversation(uuid, text) is 'Guarded half of public.start_conversation.';

revoke execute on function
private.phone_country(text),
private.require_destination(uuid, text),
private.text_parts(text),
private.check_text(),
private.quiet_until(uuid, timestamptz),
private.telnyx_obstacles(uuid, timestamptz),
private.line_of(uuid, uuid),
private.thread_with(public.channels, text),
private.start_conversation(uuid, text)
from public;
grant execute on function private.text_parts(text), private.start_conversation(uuid, text) to authenticated;
grant execute on function private.telnyx_obstacles(uuid, timestamptz) to worker_telnyx;

create function public.text_parts(body text)
returns jsonb
language sql
immutable
parallel safe
set search_path = ''
as $$
    select private.text_parts(body);
$$;
comment on function public.text_parts(text) is
'How a text will be sent, to be shown while it is written. Anybody signed in. '
'Returns {encoding: GSM-7 or UCS-2, parts, units, left (in the last part), too_long}.';

create function public.start_conversation(channel_id uuid, phone text)
returns public.conversations
language sql
volatile
set search_path = ''
as $$
    select private.start_conversation(channel_id, phone);
$$;
comment on function public.start_conversation(uuid, text) is
'The conversation of one of our numbers with somebody''s, opened if there is none; then send_message. Permission inbox.write. '
'Returns the conversation. Raises CX001, CX002, CX003, CX006, CX011, CX081.';

revoke execute on function public.text_parts(text), public.start_conversation(uuid, text) from public, anon, service_role;
grant execute on function public.text_parts(text), public.start_conversation(uuid, text) to authenticated;
