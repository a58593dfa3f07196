// The door: a name is asked for, and the lobby opens.
import { expect, test } from './support/test.ts';

test('the entrance asks for a name, and Enter opens the lobby', async ({ stranger }) => {
  const alice = await stranger();
  const response = await alice.page.goto('/');

  expect(response?.status()).toBe(200);
  await expect(alice.page).toHaveTitle('Tertulia');
  const name = alice.page.getByRole('textbox', { name: 'Your name' });
  await expect(name).toBeFocused();
  await name.fill('Alice');
  await alice.page.getByRole('button', { name: 'Enter', exact: true }).click();

  await expect(alice.page).toHaveURL('/r/chat');
  await alice.isLive();
  await expect(alice.page.getByRole('log', { name: 'chat' })).toBeVisible();
  await expect(alice.online.getByText('Alice', { exact: true })).toBeVisible();
});

const tooLong = 'x'.repeat(49);
for (const [what, name, words] of [
  ['of spaces', '   ', /empty/],
  ['that is too long', tooLong, /too long/],
  ['that is reserved', 'admin', /kept for the server/],
  ['of invisible characters', '\u200b\u200b', /cannot be a name|empty/],
] as const) {
  test(`a name ${what} is refused in words`, async ({ stranger }) => {
    const alice = await stranger();
    await alice.page.goto('/');
    await alice.page.getByRole('textbox', { name: 'Your name' }).fill(name);
    await alice.page.getByRole('textbox', { name: 'Your name' }).press('Enter');

    await expect(alice.page.getByRole('alert')).toHaveText(words);
    await expect(alice.page.getByRole('textbox', { name: 'Your name' })).toBeVisible();
    await alice.page.goto('/r/chat');
    await expect(alice.page, 'nobody came in').toHaveURL(/\/\?next=/);
  });
}

test('who has been here goes straight in', async ({ person }) => {
  const alice = await person('Alice');
  await alice.page.goto('/');
  await expect(alice.page).toHaveURL('/r/chat');
  await alice.isLive();
});

test('a link to a room asks for the name first and then leads there', async ({ stranger, guest, newRoom }) => {
  const room = await newRoom();
  await (await guest('Bob')).says(room, 'You found it');
  const alice = await stranger();
  await alice.page.goto(room);

  await alice.page.getByRole('textbox', { name: 'Your name' }).fill('Alice');
  await alice.page.getByRole('button', { name: 'Enter', exact: true }).click();

  await expect(alice.page).toHaveURL(room);
  await alice.isLive();
  await alice.sees('You found it');
});

test('a name refused on the way to a room keeps the way', async ({ stranger, newRoom }) => {
  const room = await newRoom();
  const alice = await stranger();
  await alice.page.goto(room);
  const name = alice.page.getByRole('textbox', { name: 'Your name' });
  await name.fill('admin');
  await name.press('Enter');
  await expect(alice.page.getByRole('alert')).toBeVisible();

  await name.fill('Alice');
  await name.press('Enter');

  await expect(alice.page).toHaveURL(room);
  await alice.isLive();
});

test('a link of a stranger leads to no other house', async ({ stranger }) => {
  const alice = await stranger();
  await alice.page.goto('/?next=https://elsewhere.example/r/chat');
  await alice.page.getByRole('textbox', { name: 'Your name' }).fill('Alice');
  await alice.page.getByRole('button', { name: 'Enter', exact: true }).click();
  await expect(alice.page).toHaveURL('/r/chat');
});

test('who leaves is at the door again, in every tab', async ({ person, newRoom }) => {
  const room = await newRoom();
  const alice = await person('Alice');
  await alice.opens(room);
  await alice.page.getByRole('button', { name: 'Leave' }).click();
  await expect(alice.page.getByRole('textbox', { name: 'Your name' })).toBeVisible();
  await alice.page.goto(room);
  await expect(alice.page.getByRole('textbox', { name: 'Your name' })).toBeVisible();
});
