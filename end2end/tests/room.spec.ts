// The main job: people in browsers talk in rooms, on one instance and on several.
import { expect, first, second, test, third } from './support/test.ts';

test('1, 2: Alice and Bob on two instances see each other without a refresh', async ({ person, newRoom }) => {
  const room = await newRoom(first);
  const alice = await person('Alice', { url: first });
  const bob = await person('Bob', { url: second });
  await Promise.all([alice.opens(room), bob.opens(room)]);

  await alice.says('Sopem divendres?');
  await bob.sees('Sopem divendres?');
  await bob.says('Claro, ¿dónde?');
  await alice.sees('Sopem divendres?', 'Claro, ¿dónde?');
  await bob.sees('Sopem divendres?', 'Claro, ¿dónde?');

  await expect(alice.message('Claro').getByText('Bob', { exact: true })).toBeAttached();
  await expect(bob.message('Sopem').locator('time')).toHaveAttribute('datetime', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

test('1: Alice and Bob on one instance see each other', async ({ person, newRoom }) => {
  const room = await newRoom();
  const [alice, bob] = await Promise.all([person('Alice'), person('Bob')]);
  await Promise.all([alice.opens(room), bob.opens(room)]);
  await alice.says('one');
  await bob.sees('one');
  await bob.says('two');
  await alice.sees('one', 'two');
});

test('6: ten posts in a burst are ten rows in the same order for everybody', async ({ person, newRoom }) => {
  const room = await newRoom(first);
  const alice = await person('Alice', { url: first });
  const bob = await person('Bob', { url: third });
  await Promise.all([alice.opens(room), bob.opens(room)]);

  const texts = Array.from({ length: 10 }, (_, index) => `burst ${index + 1}`);
  for (const text of texts) await alice.says(text);

  await alice.sees(...texts);
  await bob.sees(...texts);
});

test('6: two who write at once see one order', async ({ person, newRoom }) => {
  const room = await newRoom(first);
  const alice = await person('Alice', { url: first });
  const bob = await person('Bob', { url: second });
  await Promise.all([alice.opens(room), bob.opens(room)]);

  await Promise.all(
    [alice, bob].map(async (who) => {
      for (let index = 1; index <= 10; index += 1) await who.says(`${who.name} ${index}`);
    }),
  );

  await expect(alice.bodies).toHaveCount(20);
  await expect(alice.log.getByText('Sending')).toHaveCount(0);
  const order = await alice.bodies.allTextContents();
  expect(new Set(order).size).toBe(20);
  await bob.sees(...order);
  await bob.page.reload();
  await bob.sees(...order);
});

test('rooms are isolated', async ({ person, guest, newRoom }) => {
  const [here, there] = [await newRoom(first), await newRoom(first)];
  const alice = await person('Alice', { url: first });
  const bob = await person('Bob', { url: second });
  await alice.opens(here);
  await bob.opens(there);

  await alice.says('only here');
  await bob.says('only there');
  await (await guest('Carol', third)).says(here, 'the last word here');

  await alice.sees('only here', 'the last word here');
  await bob.sees('only there');
});

test('a room that does not exist says so and leads to the lobby', async ({ person }) => {
  const alice = await person('Alice');
  alice.complaints.allow(/404/);
  const answer = await alice.page.goto('/r/there-is-no-such-room');
  expect(answer?.status()).toBe(404);
  await expect(alice.page.getByRole('heading', { name: 'No such room' })).toBeVisible();
  await alice.page.getByRole('link', { name: 'Go to the lobby' }).click();
  await expect(alice.page).toHaveURL('/r/chat');
  await alice.isLive();
});

test('what looks like HTML stays text', async ({ person, newRoom }) => {
  const room = await newRoom();
  const [alice, bob] = await Promise.all([person('Alice'), person('<b>Bob</b>')]);
  await Promise.all([alice.opens(room), bob.opens(room)]);
  const nasty = '<img src=x onerror=alert(1)> <script>alert(2)</script> &amp; https://example.org/?a=1&b=<i>';
  await bob.says(nasty);
  await alice.sees(nasty);
  await alice.page.reload();
  await alice.isLive();
  await alice.sees(nasty);
  await expect(alice.messages.getByText('<b>Bob</b>', { exact: true })).toBeAttached();
  await expect(alice.log.locator('img, script')).toHaveCount(0);
  await expect(alice.log.getByRole('link', { name: /example/ })).toHaveAttribute('rel', /noopener/);
});
