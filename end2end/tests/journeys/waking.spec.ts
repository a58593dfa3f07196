// A page that slept, or whose clock was set: caught up with few requests, nothing missed, nothing given up too early.
import { expect, first, lostSocket, second, test, type Person } from '../support/test.ts';
import { agree, numbered } from '../support/people.ts';
import { Wire } from '../support/wire.ts';

const hourMs = 3_600_000;

declare global {
  interface Window {
    /** By how much the clock on the wall of a page is wrong, in milliseconds. */
    wrongByMs: number;
  }
}

/** From the next page on its clock can be set. Timers run on, as they do when somebody sets the machine's clock. */
async function letClockBeSet(who: Person): Promise<void> {
  await who.page.addInitScript(() => {
    const now = Date.now.bind(Date);
    window.wrongByMs = 0;
    Date.now = () => now() + window.wrongByMs;
  });
}

const setClock = (who: Person, byMs: number): Promise<void> =>
  who.page.evaluate((ms) => void (window.wrongByMs += ms), byMs);

test('13: waking takes at most five requests, and nothing is missed or doubled', async ({ person, guest, newRoom }) => {
  const room = await newRoom(first);
  const bob = await guest('Bob', second);
  const alice = await person('Alice', { url: first });
  alice.complaints.allow(lostSocket);
  await bob.says(room, 'before');
  await alice.opens(room);
  const load = await alice.load();
  const missed = numbered('missed', 200);
  const session = await alice.context.newCDPSession(alice.page);

  await session.send('Page.setWebLifecycleState', { state: 'frozen' });
  await alice.context.setOffline(true);
  await bob.says(room, ...missed);
  await expect(alice.bodies, 'premise: nothing came meanwhile').toHaveCount(1);
  const asked: string[] = [];
  alice.page.on('request', (request) => asked.push(request.url()));
  alice.page.on('websocket', (socket) => asked.push(socket.url()));
  await alice.context.setOffline(false);
  await session.send('Page.setWebLifecycleState', { state: 'active' });
  await alice.page.bringToFront();

  await alice.sees('before', ...missed);
  await alice.isLive();
  await bob.says(room, 'good morning');
  await alice.sees('before', ...missed, 'good morning');
  expect(asked.length, asked.join(' ')).toBeLessThanOrEqual(5);
  expect(await alice.load(), 'nothing was reloaded').toBe(load);
});

test('13: a page that catches up says how many are coming', async ({ person, guest, newRoom }) => {
  const room = await newRoom();
  const [bob, alice] = [await guest('Bob'), await person('Alice')];
  await bob.says(room, 'before');
  const wire = await Wire.of(alice.page);
  wire.hold((frame) => frame.t === 'entries');
  let letGo = (): void => {};
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  await alice.page.route(/\.wasm$/, async (route) => {
    await gate;
    await route.continue();
  });
  await alice.page.goto(room, { waitUntil: 'commit' });
  await expect(alice.bodies).toHaveText(['before']);
  const missed = numbered('missed', 60);
  await bob.says(room, ...missed);
  letGo();

  await expect(alice.status).toHaveText('Catching up (60 to come)');
  wire.release();
  await alice.isLive();
  await alice.sees('before', ...missed);
});

test('after a reset the page shows the newest messages afresh, and the older ones are to be had', async ({
  person,
  guest,
  newRoom,
}) => {
  const room = await newRoom();
  const [bob, alice] = [await guest('Bob'), await person('Alice')];
  const said = numbered('said', 70);
  await bob.says(room, ...said.slice(0, 60));
  const wire = await Wire.of(alice.page);
  await alice.opens(room);
  await alice.log.evaluate((log) => log.scrollTo(0, 0));
  await expect(alice.pill).toBeVisible();
  const load = await alice.load();

  // To the server it is a client that knew another store.
  wire.turn((frame) => (frame.t === 'hello' ? { ...frame, resume: [{ room: roomOf(frame), epoch: '', seq: 0 }] } : frame));
  await bob.says(room, ...said.slice(60));
  await wire.cut();

  await expect.poll(() => wire.opened).toBe(2);
  await alice.isLive();
  await expect(alice.bodies.last()).toHaveText('said 70.');
  await expect(alice.bodies.last()).toBeInViewport();
  expect(await alice.load(), 'nothing was reloaded').toBe(load);
  await alice.log.evaluate((log) => log.scrollTo(0, 0));
  await alice.sees(...said);
});

/** The room that a greeting resumes. */
function roomOf(hello: Record<string, unknown>): unknown {
  const [position] = hello['resume'] as { room: number }[];
  return position?.room;
}

test('a clock that is set back does not hold up what is to be sent again', async ({ person, newRoom }) => {
  const room = await newRoom();
  const [alice, bob] = await Promise.all([person('Alice'), person('Bob')]);
  await letClockBeSet(alice);
  const wire = await Wire.of(alice.page);
  await Promise.all([alice.opens(room), bob.opens(room)]);
  const busy = { t: 'nack', code: 'busy', message: 'Later.', retry_after_ms: 2_000 };
  wire.answer(({ t, key }) => (t === 'send' ? { ...busy, key } : undefined));
  await alice.says('in a moment');
  await expect.poll(() => wire.said).toContain('send');

  await setClock(alice, -hourMs);
  wire.answer(() => undefined);

  await agree([alice, bob], ['in a moment']);
  expect(wire.opened).toBe(1);
});

test('a clock that is set forward and back ends no link: it is asked, and proves alive', async ({ person, stage }) => {
  // Whatever is heard after the clock was set shows that the link lives, and nothing is asked: on a server of their own
  // nobody else makes rooms, and all that is to come has come before.
  const { url } = await stage.alone();
  const room = '/r/chat';
  const [alice, bob] = await Promise.all([person('Alice', { url }), person('Bob', { url })]);
  await letClockBeSet(alice);
  const wire = await Wire.of(alice.page);
  await alice.opens(room);
  await bob.opens(room);
  await expect(alice.page.getByText('Bob joined')).toBeVisible();
  const pings = (): number => wire.said.filter((kind) => kind === 'ping').length;
  expect(pings(), 'premise: it was not asked yet').toBe(0);

  // To the page a machine that slept for an hour looks the same.
  await setClock(alice, hourMs);
  await expect.poll(pings).toBe(1);
  await alice.says('an hour ahead');
  await bob.sees('an hour ahead');
  await setClock(alice, -2 * hourMs);
  await alice.says('an hour behind');
  await bob.sees('an hour ahead', 'an hour behind');

  await agree([alice, bob], ['an hour ahead', 'an hour behind']);
  expect(wire.opened, 'it is the same link').toBe(1);
});

test('whatever its clock says, a page comes back to its server', async ({ person, stage }) => {
  const server = await stage.alone();
  const alice = await person('Alice', { url: server.url });
  alice.complaints.allow(lostSocket);
  await letClockBeSet(alice);
  await alice.opens('/r/chat');
  for (const byMs of [hourMs, -2 * hourMs]) {
    await server.stop('SIGTERM');
    await expect(alice.status).toHaveText('Offline');
    await setClock(alice, byMs);
    await server.start();
    await alice.isLive();
  }
});
