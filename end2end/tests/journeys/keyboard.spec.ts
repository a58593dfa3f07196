// From the door to a message and to another room, with the keyboard alone.
import { expect, test, type Person } from '../support/test.ts';

/** Presses Tab until the wanted element has the focus; each stop on the way must be seen. */
async function tabTo(who: Person, name: string): Promise<void> {
  await expect(async () => {
    await who.page.keyboard.press('Tab');
    const focused = who.page.locator(':focus');
    await expect(focused, 'whoever has the focus can be seen').toBeVisible({ timeout: 500 });
    await expect(focused).toHaveAccessibleName(name, { timeout: 50 });
  }).toPass({ intervals: [0] });
}

test('from the entrance to a message and to another room', async ({ stranger, guest, stage }) => {
  const { url } = await stage.alone();
  const name = 'By the window';
  const carol = await guest('Carol', url);
  const room = await carol.makesRoom(name);
  const alice = await stranger({ url });
  await alice.page.goto('/');
  await expect(alice.page.getByRole('textbox', { name: 'Your name' })).toBeFocused();
  await alice.page.keyboard.type('Alice');
  await alice.page.keyboard.press('Enter');
  await alice.isLive();

  await expect(alice.composer).toBeFocused();
  await alice.page.keyboard.type('by hand');
  await alice.page.keyboard.press('Enter');
  await alice.sees('by hand');
  await expect(alice.composer).toBeFocused();

  await tabTo(alice, name);
  await alice.page.keyboard.press('Enter');
  await expect(alice.page).toHaveURL(room);
  await expect(alice.page.getByRole('log', { name })).toBeVisible();
  await tabTo(alice, 'Message');
  await alice.page.keyboard.type('and here');
  await tabTo(alice, 'Send');
  await alice.page.keyboard.press('Space');
  await alice.sees('and here');
});

test('the first stop leads past the rooms to the conversation', async ({ person, newRoom }) => {
  const alice = await person('Alice');
  await alice.opens(await newRoom());
  const skip = alice.page.getByRole('link', { name: 'Skip to the conversation' });
  await expect(alice.page.locator('a, button, input').first(), 'nothing comes before it').toHaveAccessibleName(
    'Skip to the conversation',
  );
  await skip.focus();
  await expect(skip).toBeInViewport({ ratio: 1 });
  await alice.page.keyboard.press('Enter');
  await expect(alice.log).toBeFocused();
  await alice.isLive();
});

test('Alt with the arrows walks through the rooms', async ({ person, guest, stage }) => {
  const { url } = await stage.alone();
  const carol = await guest('Carol', url);
  const room = await carol.makesRoom('second');
  const alice = await person('Alice', { url });
  await alice.opens('/r/chat');
  await alice.page.keyboard.press('Alt+ArrowDown');
  await expect(alice.page).toHaveURL(room);
  await expect(alice.page.getByRole('log', { name: 'second' })).toBeVisible();
  await alice.page.keyboard.press('Alt+ArrowDown');
  await expect(alice.page).toHaveURL('/r/chat');
  await expect(alice.page.getByRole('log', { name: 'chat' })).toBeVisible();
});
