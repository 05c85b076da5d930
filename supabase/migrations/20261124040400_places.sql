-- Google Places: switched on by an explicit act, asked by the receiver for each request.
--
-- Owns      public.enable_places, private.places_gate.
-- Callers   signed-in people; the role ingress for a request whose token it has verified.
-- Undo      forward only: a mistake is repaired by the next migration.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create function private.enable_places()
returns public.integrations
language plpgsql
volatile
security definer  -- nobody has write grants on consents or integrations
set search_path = ''
as $$
declare
    org constant uuid := private.require_org('integrations.manage');
    link public.integrations;
begin
    select i.* into link
    from public.integrations as i
    where i.org_id = org and i.provider = 'google_places' and i.status <> 'disconnected';
    if link.id is not null then
        raise exception 'this provider is already connected'
        using errcode = 'CX011', hint = 'Disconnect it to switch address completion off.';
    end if;
    insert into public.integrations as i (org_id, provider, status, consent_id, connected_at, created_by)
    values (
        org, 'google_places', 'active', private.grant_consent(org, 'google_places', '{}'), now(), (select auth.uid())
    )
    returning i.* into link;
    return link;
end;
$$;
comment on function private.enable_places() is 'Guarded half of public.enable_places.';

create function private.places_gate(user_id uuid, chosen uuid)
returns table (answer text, org_id uuid)
language plpgsql
stable
security definer  -- the receiver owns no rights on any table
set search_path = ''
as $$
declare
    org uuid;
begin
    perform queue.assert_ingress();
    select m.org_id into org
    from public.memberships as m
    inner join private.role_permissions as rp on m.role = rp.role and rp.permission = 'crm.write'
    inner join public.organizations as o on m.org_id = o.id and o.closed_at is null
    where m.user_id = places_gate.user_id
        and m.org_id = coalesce(
            places_gate.chosen,
            (select p.active_org_id from public.profiles as p where p.user_id = places_gate.user_id)
        );
    if org is null then
        return query select 'forbidden', null::uuid;
    elsif not exists (
        select 1 from public.integrations as i
        where i.org_id = org and i.provider = 'google_places' and i.status = 'active'
    ) then
        return query select 'not_enabled', org;
    elsif not private.entitled(org, 'address_completion') then
        return query select 'not_paid', org;
    else
        return query select 'ok', org;
    end if;
end;
$$;
comment on function private.places_gate(uuid, uuid) is
'For the receiver: whether this person may complete addresses for the chosen (else the active) organization: ok, forbidden, '
'not_enabled or not_paid. Role ingress. Raises CX031.';

revoke execute on function private.enable_places(), private.places_gate(uuid, uuid) from public;
grant execute on function private.enable_places() to authenticated;
grant execute on function private.places_gate(uuid, uuid) to ingress;

create function public.enable_places()
returns public.integrations
language sql
volatile
set search_path = ''
as $$
    select private.enable_places();
$$;
comment on function public.enable_places() is
'Switch address completion on for the organization: records consent. Permission integrations.manage. '
'Returns the integration, active at once; disconnect_integration switches it off. Raises CX001, CX002, CX011, CX071.';
revoke execute on function public.enable_places() from public, anon, service_role;
grant execute on function public.enable_places() to authenticated;
