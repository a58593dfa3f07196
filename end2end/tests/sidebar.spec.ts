// The list of rooms: made, opened, walked through, without a reload and without a trace of the room before.
import { numbered } from './support/people.ts';
import { expect, first, second, test, type Person } from './support/test.ts';

const nameFor = (id: string): string => `Taula ${id}`;

test('a new room opens, and appears in the list of the others', async ({ person, newRoom }, { testId }) => {
  const alice = await person('Alice', { url: first });
  const bob = await person('Bob', { url: second });
  await alice.opens('/r/chat');
  await bob.opens(await newRoom(second));
  const name = nameFor(testId.slice(-6));

  await alice.rooms.getByRole('textbox', { name: 'New room' }).fill(name);
  await alice.rooms.getByRole('button', { name: 'Create' }).click();

  await expect(alice.page.getByRole('log', { name })).toBeVisible();
  await alice.isLive();
  await expect(alice.rooms.getByRole('link', { name })).toHaveAttribute('aria-current', 'page');
  await expect(alice.beginning).toBeVisible();

  const load = await bob.load();
  await bob.rooms.getByRole('link', { name }).click();
  await expect(bob.page.getByRole('log', { name })).toBeVisible();
  await bob.isLive();
  expect(await bob.load(), 'no page was loaded').toBe(load);
  await bob.says('Found you');
  await alice.sees('Found you');
});

test('creating a room that exists opens it', async ({ person, guest, newRoom }, { testId }) => {
  const name = nameFor(testId.slice(-6));
  const carol = await guest('Carol');
  await carol.says(await carol.makesRoom(name), 'I was here first');
  const alice = await person('Alice');
  await alice.opens(await newRoom());

  await alice.rooms.getByRole('textbox', { name: 'New room' }).fill(name);
  await alice.rooms.getByRole('textbox', { name: 'New room' }).press('Enter');

  await expect(alice.page.getByRole('log', { name })).toBeVisible();
  await alice.sees('I was here first');
  await expect(alice.rooms.getByRole('link', { name })).toHaveCount(1);
});

test('36: going from room to room is no reload, and shows no message of another room', async ({
  person,
  guest,
}, { testId }) => {
  const carol = await guest('Carol');
  const names = ['North', 'South'].map((side) => `${side} ${testId.slice(-6)}`);
  const [north, south] = names as [string, string];
  const paths = [await carol.makesRoom(north), await carol.makesRoom(south)] as const;
  await carol.says(paths[0], 'north 1', 'north 2');
  await carol.says(paths[1], 'south 1');
  const alice = await person('Alice');
  await alice.opens(paths[0]);
  const load = await alice.load();

  await alice.rooms.getByRole('link', { name: south }).click();
  await expect(alice.page).toHaveURL(paths[1]);
  await expect(alice.page.getByRole('log', { name: south })).toBeVisible();
  await expect(alice.page).toHaveTitle(`${south} · Tertulia`);
  await alice.sees('south 1');
  await alice.isLive();
  await carol.says(paths[0], 'north 3');
  await carol.says(paths[1], 'south 2');
  await alice.sees('south 1', 'south 2');

  await alice.page.goBack();
  await expect(alice.page.getByRole('log', { name: north })).toBeVisible();
  await alice.sees('north 1', 'north 2', 'north 3');
  await alice.says('north 4');
  await alice.sees('north 1', 'north 2', 'north 3', 'north 4');

  await alice.page.goForward();
  await expect(alice.page.getByRole('log', { name: south })).toBeVisible();
  await alice.sees('south 1', 'south 2');
  expect(await alice.load(), 'no page was loaded').toBe(load);
});

test('walking quickly through rooms ends in the last one', async ({ person, guest }, { testId }) => {
  const carol = await guest('Carol');
  const rooms: { name: string; path: string }[] = [];
  for (const step of ['a', 'b', 'c', 'd']) {
    const name = `Walk ${step} ${testId.slice(-6)}`;
    const path = await carol.makesRoom(name);
    await carol.says(path, `said in ${step}`);
    rooms.push({ name, path });
  }
  const alice = await person('Alice');
  await alice.opens('/r/chat');
  for (const { name } of rooms) await alice.rooms.getByRole('link', { name }).click();
  const last = rooms.at(-1);
  await expect(alice.page.getByRole('log', { name: last?.name ?? '' })).toBeVisible();
  await alice.sees('said in d');
  await carol.says(last?.path ?? '', 'and again');
  await alice.sees('said in d', 'and again');
});

const desk = { width: 1280, height: 800 };
const phone = { width: 320, height: 640 };

/** Opens the pane with the rooms where it does not stand in the page. */
async function opensRooms(who: Person): Promise<void> {
  if (!(await who.rooms.isVisible())) await who.page.getByRole('button', { name: 'Rooms' }).click();
}

for (const viewport of [desk, phone]) {
  test(`of forty rooms the list scrolls and all else stays in view, ${viewport.width} px`, async ({
    person,
    guest,
    stage,
  }) => {
    const { url } = await stage.alone();
    const host = await guest('Host', url);
    const paths = await host.makesRooms(...numbered('Room', 40));
    const alice = await person('Alice', { url, viewport });
    for (const at of [0, 20, 39]) {
      await alice.opens(paths[at] ?? '');
      await opensRooms(alice);
      const hidden = await alice.rooms.getByRole('list').evaluate((list) => list.scrollHeight - list.clientHeight);
      expect(hidden, 'premise: not all of them fit').toBeGreaterThan(0);
      for (const [role, name] of [
        ['link', 'Tertulia'],
        ['link', `Room ${at + 1}.`],
        ['textbox', 'New room'],
        ['button', 'Create'],
        ['link', 'Watch the cluster'],
        ['button', 'Leave'],
      ] as const) {
        await expect(alice.rooms.getByRole(role, { name, exact: true }), name).toBeInViewport({ ratio: 1 });
      }
      await expect(alice.rooms.getByText('Alice', { exact: true })).toBeInViewport({ ratio: 1 });
    }
  });

  test(`a room's name that is refused is said beside the field, ${viewport.width} px`, async ({ person, newRoom }) => {
    const room = await newRoom();
    const alice = await person('Alice', { viewport });
    await alice.opens(room);
    await opensRooms(alice);
    const field = alice.rooms.getByRole('textbox', { name: 'New room' });
    await field.fill('x'.repeat(65));
    await field.press('Enter');
    await expect(alice.page).toHaveURL(new RegExp(`${room}\\?`));
    await alice.isLive();
    await expect(alice.rooms.getByRole('alert')).toHaveText(/too long/);
    await expect(alice.rooms.getByRole('alert')).toBeInViewport({ ratio: 1 });
    await expect(alice.page.getByRole('alert')).toHaveCount(1);
    await expect(field).toBeFocused();
  });
}

for (const name of ['  ', '..']) {
  test(`a room's name of signs alone (${JSON.stringify(name)}) is not sent, and stays`, async ({ person, newRoom }) => {
    const room = await newRoom();
    const alice = await person('Alice');
    await alice.opens(room);
    const load = await alice.load();
    const field = alice.rooms.getByRole('textbox', { name: 'New room' });
    await field.fill(name);
    await alice.rooms.getByRole('button', { name: 'Create' }).click();
    await expect(field).toBeFocused();
    await expect(field).toHaveValue(name);
    expect(await field.evaluate((input: HTMLInputElement) => input.validity.patternMismatch)).toBe(true);
    await expect(alice.page).toHaveURL(room);
    expect(await alice.load(), 'no page was loaded').toBe(load);
  });
}
