-- Mistakes in Storage and Realtime. Read by tests/leak.py, planted one by one.

-- leak: storage: read without the folder
-- tables: storage.objects
alter policy objects_select_member on storage.objects using (bucket_id = 'attachments');

-- leak: storage: written without the folder
-- tables: storage.objects
alter policy objects_insert_agent on storage.objects with check (bucket_id = 'attachments');

-- leak: storage: the folder anywhere in the path
-- tables: storage.objects
alter policy objects_insert_agent on storage.objects with check (bucket_id = 'attachments' and name
like '%' || (select private.current_org('inbox.write'))::text || '%');

-- leak: storage: a public bucket
update storage.buckets set public = true where id = 'exports';

-- leak: storage: objects may be overwritten
-- tables: storage.objects
create policy objects_update on storage.objects for update to authenticated using (true);

-- leak: realtime: everybody listens
-- tables: realtime.messages
alter policy messages_select_member on realtime.messages using (true);

-- leak: realtime: members speak
-- tables: realtime.messages
create policy messages_insert on realtime.messages for insert to authenticated with check (true);
