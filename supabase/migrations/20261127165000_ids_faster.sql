-- The default of every id, in a language that keeps its plan.
--
-- Owns      private.uuid_v7 (replaced; what it answers is the same).
-- Callers   the default of every id.
-- Undo      the body in 20261123000100_schemas_and_roles.sql.
--
-- A function in SQL that pins its search path is planned anew by every statement: that cost ten times what
-- making an id does, and more than many an insert.

set local lock_timeout = '4s';
set local statement_timeout = '30s';

create or replace function private.uuid_v7()
returns uuid
language plpgsql
volatile
parallel safe
set search_path = ''
as $$
begin
    -- RFC 9562, version 7: 48 bits of milliseconds, then random bits. Index pages fill in order.
    return encode(
        set_bit(
            set_bit(
                overlay(
                    uuid_send(gen_random_uuid())
                    placing substring(
                        int8send(floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3
                    )
                    from 1 for 6
                ),
                52, 1
            ),
            53, 1
        ),
        'hex'
    )::uuid;
end;
$$;
