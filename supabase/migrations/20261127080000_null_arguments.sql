-- Refuse nulls where the frontend may send them, before a constraint does.
--
-- Owns      the bodies of private.choose_numbers and private.set_phone_settings.
-- Callers   public.choose_numbers and public.set_phone_settings.
-- Undo      the bodies in 20261124030000_telnyx_lines.sql.
--
-- A null in the list of numbers, or as a setting that has no null, was refused by the table's own
-- constraint: with the whole row in the error, as the functions run with their owner's rights.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create or replace function private.choose_numbers(numbers text[])
returns setof public.phone_numbers
language plpgsql
volatile
security definer  -- clients have no update grant on phone_numbers
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('integrations.manage');
    link public.integrations;
begin
    select i.* into link
    from public.integrations as i
    where i.org_id = org and i.provider = 'telnyx' and i.status = 'active';
    if link.id is null then
        raise exception 'Telnyx is not connected'
        using errcode = 'CX011', hint = 'Connect it with its API key first.';
    end if;
    if exists (
        select from unnest(choose_numbers.numbers) as w (number)
        where not exists (
            select 1 from public.phone_numbers as n
            where n.org_id = org and n.integration_id = link.id and n.number = w.number and n.state in ('available', 'connected')
        )
    ) then
        raise exception 'a number is not on the connected account, or another organization uses it'
        using errcode = 'CX003', hint = 'Choose from phone_numbers those that are available or connected.';
    end if;
    update public.phone_numbers as n
    set wanted = (n.number = any(coalesce(choose_numbers.numbers, '{}')))
    where n.org_id = org and n.integration_id = link.id;
    perform queue.add(
        'telnyx', 'telnyx.numbers', org, jsonb_build_object('integration_id', link.id),
        'connect:' || link.id, null, 0::smallint, null, 5::smallint
    );
    return query select n.* from public.phone_numbers as n where n.org_id = org and n.integration_id = link.id order by n.number;
end;
$$;

create or replace function private.set_phone_settings(
    quiet_from time, quiet_until time, allowed_countries text[], help_text text,
    recording boolean, recording_notice text, voicemail boolean
)
returns public.phone_settings
language plpgsql
volatile
security definer  -- clients have no write grants on phone_settings
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('integrations.manage');
    notice constant text := nullif(btrim(coalesce(set_phone_settings.recording_notice, '')), '');
    made public.phone_settings;
begin
    if set_phone_settings.recording and coalesce(length(notice), 0) < 20 then
        raise exception 'recording needs the notice that callers hear, 20 to 500 characters'
        using errcode = 'CX084', hint = 'For instance: This call is recorded to follow up on your request.';
    end if;
    if set_phone_settings.voicemail and not set_phone_settings.recording then
        raise exception 'voicemail is a recording'
        using errcode = 'CX084', hint = 'Turn recording on with its notice first.';
    end if;
    if set_phone_settings.recording is null or set_phone_settings.voicemail is null
        or set_phone_settings.allowed_countries is null
        or array_position(set_phone_settings.allowed_countries, null) is not null
        or (set_phone_settings.quiet_from is null) <> (set_phone_settings.quiet_until is null)
        or set_phone_settings.quiet_from = set_phone_settings.quiet_until
        or array_to_string(set_phone_settings.allowed_countries, ',') !~ '^([A-Z]{2}(,[A-Z]{2})*)?$'
        or length(set_phone_settings.help_text) not between 1 and 320
        or length(notice) not between 20 and 500
    then
        raise exception 'the settings are malformed'
        using errcode = 'CX006',
        hint = 'Quiet hours have two different ends, countries two capital letters, the help text 1 to 320 characters, the notice 20 to 500.';
    end if;
    insert into public.phone_settings as s (
        org_id, quiet_from, quiet_until, allowed_countries, help_text, recording, recording_notice,
        recording_since, recording_by, voicemail
    )
    values (
        org, set_phone_settings.quiet_from, set_phone_settings.quiet_until, set_phone_settings.allowed_countries,
        set_phone_settings.help_text, set_phone_settings.recording, notice,
        case when set_phone_settings.recording then now() end,
        case when set_phone_settings.recording then (select auth.uid()) end, set_phone_settings.voicemail
    )
    on conflict on constraint phone_settings_pkey do update
    set
        quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until,
        allowed_countries = excluded.allowed_countries, help_text = excluded.help_text,
        recording = excluded.recording, recording_notice = excluded.recording_notice,
        recording_since = case
            when excluded.recording and s.recording and s.recording_notice = excluded.recording_notice then s.recording_since
            else excluded.recording_since
        end,
        recording_by = case
            when excluded.recording and s.recording and s.recording_notice = excluded.recording_notice then s.recording_by
            else excluded.recording_by
        end,
        voicemail = excluded.voicemail
    returning s.* into made;
    return made;
end;
$$;
