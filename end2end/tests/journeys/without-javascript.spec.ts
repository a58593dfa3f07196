// 58: everything that matters, by plain forms and links, in a browser that runs no script.
import { expect, test } from '../support/test.ts';

const plain = { javaScriptEnabled: false };
const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `message ${from + index}.`);

test('58: the history is on the first paint: author, text and time', async ({ person, guest, newRoom }) => {
  const room = await newRoom();
  await (await guest('Bob')).says(room, 'Sopem divendres?', 'A les nou');
  const alice = await person('Alice', plain);
  await alice.page.goto(room);

  await expect(alice.bodies).toHaveText(['Sopem divendres?', 'A les nou']);
  await expect(alice.messages.first()).toContainText('Bob');
  const time = alice.messages.first().locator('time');
  await expect(time).toHaveAttribute('datetime', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  await expect(time).toHaveText(/^\d\d:\d\d$/);
  await expect(alice.bodies.last()).toBeInViewport();
});

test('58: a name is entered, a room is made, messages are sent and read', async ({ stranger, person }, { testId }) => {
  const alice = await stranger(plain);
  await alice.page.goto('/');
  await alice.page.getByRole('textbox', { name: 'Your name' }).fill('Alice');
  await alice.page.getByRole('button', { name: 'Enter', exact: true }).click();
  await expect(alice.page).toHaveURL('/r/chat');

  const name = `Plain ${testId.slice(-6)}`;
  await alice.rooms.getByRole('textbox', { name: 'New room' }).fill(name);
  await alice.rooms.getByRole('button', { name: 'Create' }).click();
  await expect(alice.page.getByRole('log', { name })).toBeVisible();
  const bob = await person('Bob');
  await bob.opens(new URL(alice.page.url()).pathname);

  await alice.composer.fill('first line\nsecond line');
  await alice.sendButton.click();
  await expect(alice.bodies).toHaveText(['first line second line']);
  await expect.poll(() => alice.bodies.innerText()).toBe('first line\nsecond line');
  await bob.says('I have a script');
  await bob.sees('first line second line', 'I have a script');
  await alice.page.reload();
  await expect(alice.bodies).toHaveText(['first line second line', 'I have a script']);
});

test('58: sending a form again stores nothing again', async ({ person, newRoom }) => {
  const room = await newRoom();
  const alice = await person('Alice', plain);
  await alice.page.goto(room);
  const key = await alice.page.locator('input[name=key]').inputValue();
  for (let times = 0; times < 2; times += 1) {
    const form = { key, body: 'once' };
    await alice.context.request.post(`${room}/messages`, { form });
  }
  await alice.page.reload();
  await expect(alice.bodies).toHaveText(['once']);
});

test('58: on a phone a refused room is told over the room, with what was typed, and its link leads back', async ({
  person,
  guest,
  newRoom,
}) => {
  const room = await newRoom();
  await (await guest('Bob')).says(room, ...numbered(1, 30));
  const alice = await person('Alice', { ...plain, viewport: { width: 390, height: 720 } });
  await alice.page.goto(`${room}?typed=...&room-refused=bad_name`);

  const field = alice.rooms.getByRole('textbox', { name: 'New room' });
  await expect(field).toHaveValue('...');
  await expect(alice.rooms.getByRole('alert')).toBeVisible();
  // A click lands only on what lies on top.
  await field.click();
  await alice.rooms.locator('[aria-current=page]').click();
  await expect(alice.page).toHaveURL(room);
});

test('58: older pages are links, down to the beginning and back', async ({ person, guest, newRoom }) => {
  const room = await newRoom();
  await (await guest('Bob')).says(room, ...numbered(1, 110));
  const alice = await person('Alice', plain);
  await alice.page.goto(room);

  const seen = await alice.bodies.allTextContents();
  for (let pages = 0; pages < 3 && !(await alice.beginning.isVisible()); pages += 1) {
    await alice.page.getByRole('link', { name: 'Older messages' }).click();
    await expect(alice.page).toHaveURL(/before=/);
    seen.unshift(...(await alice.bodies.allTextContents()));
  }
  await expect(alice.beginning).toBeVisible();
  expect(seen).toEqual(numbered(1, 110));

  await alice.page.getByRole('link', { name: 'Newest messages' }).click();
  await expect(alice.page).toHaveURL(room);
  await expect(alice.bodies.last()).toHaveText('message 110.');
});

test('58: where one is stays in view among many rooms, and nobody is counted before they are known', async ({
  person,
  guest,
  stage,
}) => {
  const { url } = await stage.alone();
  const host = await guest('Host', url);
  const last = (await host.makesRooms(...numbered(1, 40))).at(-1) ?? '';
  const alice = await person('Alice', { url, ...plain });
  await alice.page.goto(`${url}${last}`);
  await expect(alice.rooms.locator('[aria-current]')).toBeInViewport({ ratio: 1 });
  await expect(alice.rooms.getByRole('button', { name: 'Leave' })).toBeInViewport({ ratio: 1 });
  await expect(alice.online.getByRole('heading')).toHaveText('Online');
});

test('58: a message that is too long is refused in words and given back', async ({ person, newRoom }) => {
  const alice = await person('Alice', plain);
  const room = await newRoom();
  await alice.page.goto(room);
  // The answer is a page with the text, under the status of the refusal.
  alice.complaints.allow(/413/);
  await alice.composer.fill('x'.repeat(10_001));
  await alice.sendButton.click();
  await expect(alice.page.getByRole('alert')).toContainText('too long');
  await expect(alice.composer).toHaveValue('x'.repeat(10_001));
  await alice.composer.fill('Shorter now.');
  await alice.sendButton.click();
  await expect(alice.bodies).toHaveText(['Shorter now.']);
});

test('58: who is in the room is on the page', async ({ person, newRoom }) => {
  const room = await newRoom();
  await (await person('Bob')).opens(room);
  const alice = await person('Alice', plain);
  await alice.page.goto(room);
  await expect(alice.online.getByRole('listitem').filter({ hasText: 'Bob' })).toHaveCount(1);
});
