// The heart: offline and back, servers that are killed and stopped, Redis that goes. No hole, no double, one order.
import { expect, first, lostSocket, second, test, type Person } from './support/test.ts';
import { agree, enterByForm, numbered } from './support/people.ts';
import type { OldProxy, Stage } from './support/programs.ts';
import { Wire } from './support/wire.ts';

test('10: one message missed offline is there on return, without a reload', async ({ person, guest, newRoom }) => {
  const room = await newRoom();
  const bob = await guest('Bob');
  const alice = await person('Alice');
  alice.complaints.allow(lostSocket);
  await alice.opens(room);
  const load = await alice.load();

  await alice.context.setOffline(true);
  await expect(alice.status).toHaveText('Offline');
  await bob.says(room, 'missed');
  await alice.context.setOffline(false);

  await alice.sees('missed');
  await alice.isLive();
  expect(await alice.load()).toBe(load);
});

for (const count of [120, 200]) {
  test(`11: ${count} messages missed offline are there on return, in order`, async ({ person, guest, newRoom }) => {
    const room = await newRoom(first);
    const bob = await guest('Bob', second);
    const alice = await person('Alice', { url: first });
    alice.complaints.allow(lostSocket);
    await bob.says(room, 'before');
    await alice.opens(room);
    const load = await alice.load();
    const missed = numbered('missed', count);

    await alice.context.setOffline(true);
    await expect(alice.status).toHaveText('Offline');
    await bob.says(room, ...missed.slice(0, -1));
    await alice.context.setOffline(false);
    // One more while she catches up.
    await bob.says(room, missed.at(-1) ?? '');

    await alice.sees('before', ...missed);
    await alice.isLive();
    expect(await alice.load()).toBe(load);
    await expect(alice.bodies.last()).toBeInViewport({ ratio: 1 });
  });
}

test('15: what is written offline is queued, counted, and goes by itself exactly once', async ({ person, newRoom }) => {
  const room = await newRoom(first);
  const alice = await person('Alice', { url: first });
  const bob = await person('Bob', { url: second });
  alice.complaints.allow(lostSocket);
  await Promise.all([alice.opens(room), bob.opens(room)]);

  await alice.context.setOffline(true);
  await expect(alice.status).toHaveText('Offline');
  await alice.says('from the tunnel');
  await expect(alice.status).toHaveText('Offline (1 queued)');
  await alice.says('still in it');
  await expect(alice.status).toHaveText('Offline (2 queued)');
  await expect(alice.message('from the tunnel').getByText('Sending')).toBeAttached();
  await bob.says('are you there?');
  await alice.context.setOffline(false);

  await agree([bob, alice], ['are you there?', 'from the tunnel', 'still in it']);
  await expect(alice.bodies).toHaveText(['are you there?', 'from the tunnel', 'still in it']);
});

test('15: what waits survives a reload and goes exactly once', async ({ person, newRoom }) => {
  const room = await newRoom();
  const [alice, bob] = await Promise.all([person('Alice'), person('Bob')]);
  const wire = await Wire.of(alice.page);
  await Promise.all([alice.opens(room), bob.opens(room)]);
  wire.answer(({ t }) => (t === 'send' ? 'nothing' : undefined));
  await alice.says('lost on the way');
  await expect(alice.message('lost on the way').getByText('Sending')).toBeAttached();

  wire.answer(() => undefined);
  await alice.page.reload();

  await agree([alice, bob], ['lost on the way']);
});

test('what one person wrote offline never goes out in the name of another', async ({ person, newRoom }) => {
  const room = await newRoom();
  const alice = await person('Alice');
  alice.complaints.allow(lostSocket);
  await alice.opens(room);
  const load = await alice.load();
  await alice.context.setOffline(true);
  await expect(alice.status).toHaveText('Offline');
  await alice.says('by Alice');
  await expect(alice.status).toHaveText('Offline (1 queued)');

  // As another tab does: out, and in again by another name.
  await alice.context.request.post(`${alice.url}/leave`, { maxRedirects: 0 });
  await enterByForm(alice.context.request, alice.url, 'Bruno');
  await alice.context.setOffline(false);

  await expect(alice.rooms.getByText('Bruno', { exact: true })).toBeVisible();
  await alice.isLive();
  expect(await alice.load(), 'the page began anew').not.toBe(load);
  await expect(alice.bodies).toHaveCount(0);
});

test('15: an answer that was lost does not double the message', async ({ person, newRoom }) => {
  const room = await newRoom();
  const [alice, bob] = await Promise.all([person('Alice'), person('Bob')]);
  const wire = await Wire.of(alice.page);
  await Promise.all([alice.opens(room), bob.opens(room)]);
  wire.hold((frame) => frame.t === 'ack' || frame.t === 'entries');
  await alice.says('said once');
  await bob.sees('said once');
  await expect.poll(() => wire.waiting).toBeGreaterThan(0);

  // The page goes with the answers that are held: it never learns of them.
  await alice.page.reload();

  await agree([alice, bob], ['said once']);
  expect(wire.opened).toBe(2);
});

test('a reload in the middle of a burst misses nothing', async ({ person, guest, newRoom }) => {
  const room = await newRoom(first);
  const alice = await person('Alice', { url: first });
  const bob = await guest('Bob', second);
  await alice.opens(room);
  const texts = numbered('burst', 45);
  const burst = bob.says(room, ...texts);
  for (const seen of [5, 20]) {
    await expect.poll(() => alice.bodies.count()).toBeGreaterThanOrEqual(seen);
    await alice.page.reload();
  }
  await burst;
  await alice.isLive();
  await alice.sees(...texts);
});

test('18: the server is killed in the middle of a burst and comes back', async ({ person, stage }) => {
  const server = await stage.alone();
  const { url } = server;
  const [alice, bob] = await Promise.all([person('Alice', { url }), person('Bob', { url })]);
  for (const who of [alice, bob]) who.complaints.allow(lostSocket);
  await Promise.all([alice.opens('/r/chat'), bob.opens('/r/chat')]);
  const load = await alice.load();
  const texts = { alice: numbered('from Alice', 12), bob: numbered('from Bob', 12) };
  const speak = async (who: Person, said: string[]): Promise<void> => {
    for (const text of said) await who.says(text);
  };

  const burst = Promise.all([speak(alice, texts.alice), speak(bob, texts.bob)]);
  await expect.poll(() => bob.bodies.count()).toBeGreaterThan(6);
  await server.stop('SIGKILL');
  await expect(alice.status).toHaveText(/^Offline/);
  await burst;
  await server.start();
  // The longer nobody answered, the longer the pauses between tries: 30 s at most.
  for (const who of [alice, bob]) await expect(who.status).toHaveText('Live', { timeout: 40_000 });

  const everything = [...texts.alice, ...texts.bob];
  await agree([alice, bob], everything);
  expect(await alice.load(), 'nothing was reloaded').toBe(load);
  const carol = await person('Carol', { url });
  await carol.opens('/r/chat');
  await agree([alice, carol], everything);
});

test('18: the instance of one is stopped; she goes on over another, and misses nothing', async ({ person, stage }) => {
  const { instances } = await stage.cluster(2);
  const [one, two] = instances;
  if (!one || !two) throw new Error('two were started');
  const balancer = await stage.balancer([one, two]);
  const alice = await person('Alice', { url: balancer.url });
  const bob = await person('Bob', { url: two.url });
  alice.complaints.allow(lostSocket);
  await Promise.all([alice.opens('/r/chat'), bob.opens('/r/chat')]);
  const load = await alice.load();
  await alice.says('before');
  await bob.sees('before');

  const burst = (async () => {
    for (const text of numbered('meanwhile', 15)) await bob.says(text);
  })();
  const code = await one.stop('SIGTERM');
  await burst;
  await alice.says('after');

  expect(code, 'it stopped in order').toBe(0);
  await agree([alice, bob], ['before', ...numbered('meanwhile', 15), 'after']);
  expect(await alice.load(), 'nothing was reloaded').toBe(load);
});

test('18: an instance that is stopped and started again has its people back', async ({ person, stage }) => {
  const { instances } = await stage.cluster(2);
  const [one, two] = instances;
  if (!one || !two) throw new Error('two were started');
  const alice = await person('Alice', { url: one.url });
  const bob = await person('Bob', { url: two.url });
  alice.complaints.allow(lostSocket);
  await Promise.all([alice.opens('/r/chat'), bob.opens('/r/chat')]);

  await one.stop('SIGTERM');
  await expect(alice.status).toHaveText('Offline');
  await bob.says('said without her');
  await alice.says('written without a server');
  await expect(alice.status).toHaveText('Offline (1 queued)');
  await one.start();

  await agree([alice, bob], ['said without her', 'written without a server']);
});

test('18: without Redis the page says so, messages still arrive, and it heals', async ({ person, stage }) => {
  const { redis, instances } = await stage.cluster(2);
  const [one, two] = instances;
  if (!one || !two) throw new Error('two were started');
  const alice = await person('Alice', { url: one.url });
  const bob = await person('Bob', { url: two.url });
  await Promise.all([alice.opens('/r/chat'), bob.opens('/r/chat')]);
  await alice.says('with Redis');
  await bob.sees('with Redis');

  await redis.stop();
  for (const who of [alice, bob]) await expect(who.status).toHaveText('Live · degraded');
  await expect(alice.page.getByText('None is lost.')).toBeVisible();
  await alice.says('without Redis');
  await bob.sees('with Redis', 'without Redis');
  await bob.says('I hear you');
  await alice.sees('with Redis', 'without Redis', 'I hear you');

  await redis.start();
  for (const who of [alice, bob]) await who.isLive();
  await bob.says('and again');
  await agree([alice, bob], ['with Redis', 'without Redis', 'I hear you', 'and again']);
});

test('what was written meanwhile goes to a server whose database was brought back', async ({ person, stage }) => {
  const server = await stage.alone();
  const alice = await person('Alice', { url: server.url });
  alice.complaints.allow(lostSocket);
  await alice.opens('/r/chat');
  const load = await alice.load();
  await alice.says('Who has the keys?');
  await alice.sees('Who has the keys?');
  await server.stop();
  await expect(alice.status).toHaveText('Offline');
  await alice.says('Found them.');
  await expect(alice.status).toHaveText('Offline (1 queued)');

  await server.restored();
  await server.start();

  // The longer nobody answered, the longer the pauses between tries.
  await expect(alice.status).toHaveText('Live', { timeout: 40_000 });
  await alice.sees('Who has the keys?', 'Found them.');
  expect(await alice.load(), 'the page went on').toBe(load);
  await alice.page.reload();
  await alice.sees('Who has the keys?', 'Found them.');
});

test('"Try now" comes back at once', async ({ person, stage }) => {
  const server = await stage.alone();
  const alice = await person('Alice', { url: server.url });
  alice.complaints.allow(lostSocket);
  await alice.opens('/r/chat');
  await server.stop('SIGTERM');
  await expect(alice.status).toHaveText('Offline');
  await server.start();
  // It may have come back by itself meanwhile.
  await expect(async () => {
    if ((await alice.status.textContent()) !== 'Live') {
      await alice.page.getByRole('button', { name: 'Try now' }).click({ timeout: 500 });
    }
    await expect(alice.status).toHaveText('Live', { timeout: 1_000 });
  }).toPass();
});

/** People behind a proxy that lets no WebSocket through and gives each of their connections to another instance. */
async function behindAnOldProxy(
  person: (name: string, options: { url: string }) => Promise<Person>,
  stage: Stage,
): Promise<{ proxy: OldProxy; alice: Person; bob: Person }> {
  const proxy = await stage.oldProxy((await stage.cluster(2)).instances);
  const [alice, bob] = await Promise.all([person('Alice', proxy), person('Bob', proxy)]);
  for (const who of [alice, bob]) who.complaints.allow(lostSocket);
  const streams = [alice, bob].map((who) => who.page.waitForRequest(/\/live\/events\?/));
  await Promise.all([alice.opens('/r/chat'), bob.opens('/r/chat')]);
  await Promise.all(streams);
  expect(proxy.refused, 'each tried two sockets first').toBeGreaterThanOrEqual(4);
  return { proxy, alice, bob };
}

test('that the server can store nothing is said, and what waits goes by itself once it can', async ({ person, newRoom }) => {
  const alice = await person('Alice');
  const wire = await Wire.of(alice.page);
  await alice.opens(await newRoom());
  await alice.isLive();
  const full = { t: 'nack', code: 'storage_unavailable', message: 'Not now.', retry_after_ms: 300 };
  wire.answer(({ t, key }) => (t === 'send' ? { ...full, key } : undefined));

  await alice.says('Is anybody writing this down?');
  await expect(alice.status).toHaveText('Live (1 queued)');
  const why = 'The server can store nothing right now. 1 message waits here and will go by itself.';
  await expect(alice.page.getByText(why)).toBeVisible();

  wire.answer(() => undefined);
  await alice.isLive();
  await expect(alice.page.getByText(why)).toBeHidden();
  await alice.sees('Is anybody writing this down?');
});

test('where WebSockets are blocked all is as ever: nothing is lost, nothing twice', async ({ person, stage }) => {
  const { proxy, alice, bob } = await behindAnOldProxy(person, stage);
  const load = await alice.load();
  const texts = { alice: numbered('from Alice', 6), bob: numbered('from Bob', 6) };
  const speak = async (who: Person, said: string[]): Promise<void> => {
    for (const text of said) await who.says(text);
  };
  await Promise.all([speak(alice, texts.alice), speak(bob, texts.bob)]);
  await agree([alice, bob], [...texts.alice, ...texts.bob]);

  await alice.context.setOffline(true);
  await expect(alice.status).toHaveText('Offline');
  await speak(bob, ['missed 1', 'missed 2']);
  await alice.says('from the tunnel');
  await expect(alice.status).toHaveText('Offline (1 queued)');
  await alice.context.setOffline(false);

  const everything = [...texts.alice, ...texts.bob, 'missed 1', 'missed 2', 'from the tunnel'];
  await agree([alice, bob], everything);
  expect(await alice.load(), 'nothing was reloaded').toBe(load);

  const refused = proxy.refused;
  await alice.page.reload();
  await agree([bob, alice], everything);
  expect(proxy.refused, 'a reload knows which way to take').toBe(refused);
});

test('where WebSockets are blocked a send whose answer is lost goes again and is stored once', async ({
  person,
  stage,
}) => {
  const { alice, bob } = await behindAnOldProxy(person, stage);
  // The request is obeyed, and its answer never comes back.
  let sent = 0;
  await alice.page.route(/\/live$/, async (route) => {
    if (route.request().postDataJSON()?.t !== 'send' || (sent += 1) > 1) return route.continue();
    await route.fetch();
    return route.abort();
  });
  await alice.says('said once');
  await agree([bob, alice], ['said once']);
  expect(sent, 'it was sent again').toBeGreaterThan(1);
});

test('where WebSockets are blocked one goes from room to room, and sees who is there and who writes', async ({
  person,
  stage,
}) => {
  const { alice, bob } = await behindAnOldProxy(person, stage);
  await alice.rooms.getByRole('textbox', { name: 'New room' }).fill('Annex');
  await alice.rooms.getByRole('button', { name: 'Create' }).click();
  await expect(alice.page.getByRole('log', { name: 'Annex' })).toBeVisible();
  await alice.isLive();
  await bob.says('in the lobby');
  await bob.sees('in the lobby');
  await bob.rooms.getByRole('link', { name: 'Annex' }).click();
  await expect(bob.page.getByRole('log', { name: 'Annex' })).toBeVisible();
  await bob.isLive();
  await expect(alice.online.getByText('Bob')).toBeVisible();
  // What he wrote in the lobby was a sign too, and the next is told three seconds after it.
  await expect(async () => {
    await bob.composer.pressSequentially('m');
    await expect(alice.page.getByText('Bob is typing…')).toBeVisible({ timeout: 500 });
  }).toPass();
  await bob.says('moved');
  await agree([alice, bob], ['moved']);
});

test('where WebSockets are blocked who left elsewhere is at the entrance', async ({ person, stage }) => {
  const { alice } = await behindAnOldProxy(person, stage);
  await alice.context.request.post(`${alice.url}/leave`, { maxRedirects: 0 });
  await expect(alice.page).toHaveURL(/\/\?next=/);
});
