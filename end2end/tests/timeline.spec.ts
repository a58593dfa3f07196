// The log of a room: history, the place of the reader, the newest row, groups and own rows.
import { expect, test, type Person } from './support/test.ts';
import { Wire } from './support/wire.ts';

/** Pixels that the row under the eye may move: rounding of a fractional layout. */
const stillPixels = 2;

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `message ${from + index}.`);

/** The first row that is wholly in view, held by its element. */
async function rowUnderEye(who: Person): Promise<{ text: string; top: () => Promise<number> }> {
  const row = await who.log.evaluateHandle((log) => {
    const top = log.getBoundingClientRect().top;
    const rows = [...log.querySelectorAll('article')];
    return rows.find((candidate) => candidate.getBoundingClientRect().top >= top) ?? log;
  });
  return {
    text: await row.evaluate((element) => element.querySelector('.body')?.textContent ?? ''),
    top: () => row.evaluate((element) => element.getBoundingClientRect().top),
  };
}

async function wheel(who: Person, pixels: number): Promise<void> {
  await who.log.hover();
  await who.page.mouse.wheel(0, pixels);
}

/** Scrolls up until the older page has been asked for and is held back, and the wheel has come to rest. */
async function scrollsUpTo(who: Person, wire: Wire): Promise<void> {
  await expect(async () => {
    await wheel(who, -400);
    expect(wire.waiting).toBeGreaterThan(0);
  }).toPass();
  await settles(who);
}

/** Two looks in a row find the log at the same place. */
async function settles(who: Person): Promise<void> {
  let last = Number.NaN;
  await expect
    .poll(async () => {
      const before = last;
      last = await who.log.evaluate((log) => log.scrollTop);
      return last === before;
    })
    .toBe(true);
}

test('the newest fifty are there, and the newest is in view', async ({ person, guest, newRoom }) => {
  const room = await newRoom();
  await (await guest('Bob')).says(room, ...numbered(1, 70));
  const alice = await person('Alice');
  await alice.opens(room);
  await expect(alice.bodies.last()).toHaveText('message 70.');
  await expect(alice.bodies.last()).toBeInViewport({ ratio: 1 });
  await expect(alice.pill).toBeHidden();
});

test('32: an older page keeps the row under the eye', async ({ person, guest, newRoom }) => {
  const room = await newRoom();
  await (await guest('Bob')).says(room, ...numbered(1, 120));
  const alice = await person('Alice');
  const wire = await Wire.of(alice.page);
  wire.hold((frame) => frame.t === 'page');
  await alice.opens(room);
  const drawn = await alice.bodies.count();
  expect(drawn, 'not everything is in the first HTML').toBeLessThanOrEqual(50);

  await scrollsUpTo(alice, wire);
  const row = await rowUnderEye(alice);
  const was = await row.top();
  expect(row.text).toMatch(/^message \d+\.$/);
  wire.release();

  await expect.poll(() => alice.bodies.count()).toBeGreaterThan(drawn);
  await settles(alice);
  expect(Math.abs((await row.top()) - was)).toBeLessThanOrEqual(stillPixels);
});

test('32: scrolling up reaches the beginning of the room, with every message once', async ({
  person,
  guest,
  newRoom,
}) => {
  const room = await newRoom();
  await (await guest('Bob')).says(room, ...numbered(1, 160));
  const alice = await person('Alice');
  await alice.opens(room);
  await expect(alice.beginning).toBeHidden();

  await expect(async () => {
    await wheel(alice, -2_000);
    await expect(alice.beginning).toBeInViewport({ timeout: 100 });
  }).toPass();

  await alice.sees(...numbered(1, 160));
});

test('34: a new message does not move whoever reads back; the pill counts and leads down', async ({
  person,
  guest,
  newRoom,
}) => {
  const room = await newRoom();
  const bob = await guest('Bob');
  await bob.says(room, ...numbered(1, 60));
  const alice = await person('Alice');
  await alice.opens(room);
  await wheel(alice, -900);
  await expect(alice.pill).toHaveText('Newest');
  await settles(alice);
  const row = await rowUnderEye(alice);
  const was = await row.top();

  await bob.says(room, 'news 1');
  await expect(alice.pill).toHaveText('1 new message');
  await bob.says(room, 'news 2', 'news 3');
  await expect(alice.pill).toHaveText('3 new messages');
  expect(Math.abs((await row.top()) - was)).toBeLessThanOrEqual(stillPixels);

  await alice.pill.click();
  await expect(alice.bodies.last()).toHaveText('news 3');
  await expect(alice.bodies.last()).toBeInViewport({ ratio: 1 });
  await expect(alice.pill).toBeHidden();
});

test('34: an own message goes down to itself', async ({ person, guest, newRoom }) => {
  const room = await newRoom();
  await (await guest('Bob')).says(room, ...numbered(1, 60));
  const alice = await person('Alice');
  await alice.opens(room);
  await wheel(alice, -1_200);
  await expect(alice.pill).toBeVisible();
  await alice.says('my word');
  await expect(alice.bodies.last()).toHaveText('my word');
  await expect(alice.bodies.last()).toBeInViewport({ ratio: 1 });
  await expect(alice.pill).toBeHidden();
});

test('at the bottom the newest stays in view, also when the window changes', async ({ person, guest, newRoom }) => {
  const room = await newRoom();
  const bob = await guest('Bob');
  await bob.says(room, ...numbered(1, 30));
  const alice = await person('Alice');
  await alice.opens(room);
  await bob.says(room, 'a long one: ' + 'paraula '.repeat(300), ...numbered(31, 45), 'the last');
  await expect(alice.bodies.last()).toHaveText('the last');
  await expect(alice.bodies.last()).toBeInViewport({ ratio: 1 });
  await alice.page.setViewportSize({ width: 600, height: 400 });
  await expect(alice.bodies.last()).toBeInViewport({ ratio: 1 });
  await alice.writes('one\ntwo\nthree\nfour');
  await expect(alice.bodies.last()).toBeInViewport({ ratio: 1 });
});

test('End and Escape lead from the log to the newest', async ({ person, guest, newRoom }) => {
  const room = await newRoom();
  await (await guest('Bob')).says(room, ...numbered(1, 60));
  const alice = await person('Alice');
  await alice.opens(room);
  for (const key of ['End', 'Escape']) {
    await wheel(alice, -1_500);
    await expect(alice.pill).toBeVisible();
    await alice.log.focus();
    await alice.page.keyboard.press(key);
    await expect(alice.bodies.last()).toBeInViewport({ ratio: 1 });
    await expect(alice.pill).toBeHidden();
  }
});

test('messages of one author join, and own rows are marked', async ({ person, newRoom }) => {
  const room = await newRoom();
  const [alice, bob] = await Promise.all([person('Alice'), person('Bob')]);
  await Promise.all([alice.opens(room), bob.opens(room)]);
  await alice.says('one');
  await alice.says('two');
  await bob.sees('one', 'two');
  await bob.says('three');
  await alice.sees('one', 'two', 'three');

  await expect(alice.messages.nth(0)).not.toHaveClass(/\bjoined\b/);
  await expect(alice.messages.nth(1)).toHaveClass(/\bjoined\b/);
  await expect(alice.messages.nth(2)).not.toHaveClass(/\bjoined\b/);
  for (const [index, mine] of [true, true, false].entries()) {
    const row = alice.messages.nth(index);
    if (mine) await expect(row).toHaveClass(/\bmine\b/);
    else await expect(row).not.toHaveClass(/\bmine\b/);
  }
  // Who listens cannot see that rows join: the author is in each of them.
  await expect(alice.messages.nth(1)).toContainText('Alice');
  // The time of a joined row stands in the gutter when somebody points there, not on the text.
  await alice.messages.nth(1).hover();
  const time = await alice.messages.nth(1).locator('time').boundingBox();
  const body = await alice.bodies.nth(1).boundingBox();
  expect((time?.x ?? 0) + (time?.width ?? 0)).toBeLessThanOrEqual(body?.x ?? 0);
  await alice.page.reload();
  await alice.isLive();
  await expect(alice.messages.nth(1)).toHaveClass(/\bjoined\b/);
  await expect(alice.messages.nth(1)).toHaveClass(/\bmine\b/);
});

test('an empty room says that nobody has said anything, until somebody does', async ({ person, newRoom }) => {
  const alice = await person('Alice');
  await alice.opens(await newRoom());
  await expect(alice.log.getByText('Nobody has said anything yet.')).toBeVisible();
  await expect(alice.beginning).toBeVisible();
  await alice.says('Hola');
  await expect(alice.log.getByText('Nobody has said anything yet.')).toBeHidden();
});
