// What must be true after each chapter of docs/frontend.md. `// after: TITLE` opens the checks of a
// chapter; tests/process/test_frontend_examples.py puts them behind its code, in one module with it.
// `browser` plays what a page has: other people, the provider's dialog, rows that workers write.

// after: Start
assert.equal(typeof ask, 'function')
await assert.rejects(ask(supabase.rpc('list_roles')), { code: '42501' })

// after: Sign up
assert.equal(waitsForTheMail, false)
assert.equal(user.email, email)
const [me] = await ask(supabase.from('profiles').select('display_name'))
assert.equal(me.display_name, 'Ève Gagnon')

// after: Choose an organization
assert.deepEqual(mine.map((one) => [one.id, one.currency]), [[organization.id, 'CAD']])
const elsewhere = forOrganization('00000000-0000-4000-8000-000000000000')
assert.deepEqual(await ask(elsewhere.from('customers').select('id')), [])
await assert.rejects(ask(elsewhere.rpc('my_permissions')), { code: 'CX001' })

// after: Show what a person may do
assert.ok(showsInvoiceButton)
assert.deepEqual(roles.map((one) => one.role), ['owner', 'admin', 'accountant', 'agent', 'viewer'])
assert.deepEqual([...permissions].sort(), [...roles[0].permissions].sort())

// after: Members and invitations
assert.match(link, /#[\w-]{43}$/)
assert.deepEqual(members.map((one) => [one.user_id, one.role]), [[user.id, 'owner']])
assert.equal(people[0].display_name, 'Ève Gagnon')
const stranger = await browser.person(`stranger-${run}@example.com`)
await assert.rejects(join(stranger, invitation.token), { code: 'CX004' })
const colleague = await browser.person('colleague@example.com')
assert.equal(await join(colleague, invitation.token), org)
await assert.rejects(join(colleague, invitation.token), { code: 'CX004' })
assert.deepEqual(
  await ask(colleague.rpc('my_permissions')),
  roles.find((one) => one.role === 'agent').permissions,
)

// after: Customers
assert.equal(customer.display_name, 'Café Lumière')
const reach = await ask(db.from('contact_points').select('value').order('value'))
assert.deepEqual(reach.map((one) => one.value), ['+15145550123', 'commandes@lumiere.example'])
const [place] = await ask(db.from('addresses').select('postal_code, country'))
assert.deepEqual(place, { postal_code: 'H2Y 1B7', country: 'CA' })
assert.deepEqual(found.map((one) => one.id), [customer.id])
assert.deepEqual(byPhone.map((one) => one.id), [customer.id])
assert.deepEqual(new Set(history.map((one) => one.kind)), new Set(['note', 'task']))

// after: From an order to money
assert.deepEqual([confirmed.status, confirmed.number], ['confirmed', 1])
assert.deepEqual([invoice.status, invoice.number, invoice.subtotal_minor], ['open', 1, 11500])
assert.equal(invoice.total_minor, 11500 + 575 + 1147) // GST 5 %, QST 9.975 %, each rounded once
assert.equal(sheet.items.length, 2)
assert.deepEqual(sheet.taxes.map((one) => one.tax_minor).sort(), [1147, 575])
assert.equal(sheet.bill_to_line1, '12 rue Notre-Dame Est')
assert.match(shownTotal, /^132,22.\$$/)
assert.equal(sameOne.id, recorded.id)
assert.equal(balances.reduce((sum, row) => sum + row.balance_minor, 0), 0)
assert.equal(results.find((row) => row.section === 'net_income').amount_minor, 11500)
assert.deepEqual(taxes.map((row) => row.owed_minor).sort(), [1147, 575])
assert.equal(standing.find((row) => row.section === 'earnings').amount_minor, 11500)
assert.deepEqual(owed.map((row) => [row.customer_name, row.total_minor]), [['Café Lumière', 3222]])
assert.ok(entry.number > 0)

// after: Connect and disconnect Messenger
assert.ok(begun.authorize_url.includes(`state=${begun.state}`))
assert.equal(location.href, begun.authorize_url)
const returned = `https://app.example.com/back?state=${begun.state}&code=from-the-provider`
assert.equal((await finishConnecting(returned)).status, 'connecting')
await assert.rejects(finishConnecting(returned), { code: 'CX010' })
assert.deepEqual(
  integrations.map((one) => [one.id, one.status]), [[begun.integration_id, 'connecting']],
)
await assert.rejects(confirmAccount(begun.integration_id, true), { code: 'CX011' })
assert.equal(await disconnect(begun.integration_id), true)
assert.equal(await disconnect(begun.integration_id), false)
await browser.messagesArrive(org)

// after: Inbox
assert.equal(newest.length, 50)
assert.equal(older.length, 10)
assert.equal(new Set([...newest, ...older].map((one) => one.id)).size, 60)
assert.equal(thread.unread_count, 1)
assert.ok(new Date(thread.reply_until) > new Date())
assert.deepEqual(messages.map((one) => [one.state, one.body]), [['received', 'Bonjour']])
const [read] = await ask(
  db.from('conversations').select('unread_count, customer:customers(display_name)').eq('id', thread.id),
)
assert.deepEqual(read, { unread_count: 0, customer: { display_name: 'Café Lumière' } })
assert.deepEqual([queued.state, again.id, queued.sent_by], ['queued', queued.id, user.id])

// after: Subscribe, and know where one stands
assert.equal(billing.standing, 'trial')
assert.ok(canWrite)
assert.ok(Date.parse(banner) > Date.now())
assert.ok(plans.some((one) => one.amount_minor === 4900))
assert.deepEqual([checkout.state, checkout.url, checkout.kind], ['waiting', null, 'checkout'])
assert.equal((await ask(db.rpc('start_checkout', { plan: plans[0].plan }))).id, checkout.id)
assert.equal(typeof goTo, 'function')
assert.deepEqual(bills, [])
await assert.rejects(ask(db.rpc('open_billing_portal')), { code: 'CX073' })
await assert.rejects(ask(colleague.rpc('start_checkout', { plan: 'pro' })), { code: 'CX002' })

// after: Realtime
const firstHint = new Promise((resolve) => {
  channel.on('broadcast', { event: 'conversations' }, ({ payload }) => resolve(payload))
})
await browser.messagesArrive(org)
const hint = await firstHint
assert.deepEqual([hint.table, hint.op, hint.count, hint.ids.length], ['conversations', 'insert', 60, 60])
assert.ok(heard.some((one) => one.table === 'conversations' && one.count === 60))
assert.equal(await db.removeChannel(channel), 'ok')

// after: Attachments
const bytes = await (await fetch(signedUrl)).text()
assert.equal(bytes, await file.text())
const theirs = await stranger.storage.from('attachments').download(path)
assert.notEqual(theirs.error, null)

assert.deepEqual([sent.state, sent.body], ['queued', null])
await assert.rejects(
  ask(db.rpc('send_message', { conversation_id: thread.id, attachments: [path] })), { code: 'CX006' },
)

// after: Texts and numbers
assert.deepEqual([length.parts, length.encoding, length.left], [1, 'UCS-2', 60])
assert.equal(hint, '1 × UCS-2, 60 left')
await assert.rejects(
  ask(db.rpc('start_conversation', { channel_id: thread.id, phone: '(514) 555-0123' })), { code: 'CX003' },
)

// after: Privacy
assert.ok(due > new Date())
assert.deepEqual(await exportsReady(), [])
await assert.rejects(fetchExport(request.id), { code: 'CX003' })
await browser.exportIsMade(request)
const [lying] = await exportsReady()
assert.equal(lying.request_id, request.id)
await fetchExport(lying.request_id)
assert.match(location.href, /^https:\/\/hooks\.example\.com\/privacy\/export\/[0-9a-f]{64}$/)

// after: Errors
assert.equal(told, 'the payment is larger than the balance of 3222. Record at most the balance.')
assert.equal(nothingHappened, false)
assert.deepEqual(
  await ask(stranger.from('customers').update({ status: 'active' }).eq('id', customer.id).select('id')), [],
)
