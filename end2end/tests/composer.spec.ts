// Where one writes: what Enter does, what fits, what becomes of a message on its way.
import { expect, test } from './support/test.ts';
import { Wire } from './support/wire.ts';

test('38: Enter sends and Shift+Enter makes a line', async ({ person, newRoom }) => {
  const room = await newRoom();
  const alice = await person('Alice');
  await alice.opens(room);
  await expect(alice.composer, 'on a desk the caret is ready').toBeFocused();

  await alice.page.keyboard.type('first line');
  await alice.page.keyboard.press('Shift+Enter');
  await alice.page.keyboard.type('second line');
  await expect(alice.bodies).toHaveCount(0);
  await expect(alice.composer).toHaveValue('first line\nsecond line');
  await alice.page.keyboard.press('Enter');

  await expect(alice.composer).toHaveValue('');
  await expect(alice.composer).toBeFocused();
  await expect(alice.bodies).toHaveCount(1);
  await expect.poll(() => alice.bodies.innerText()).toBe('first line\nsecond line');
});

test('the button Send sends', async ({ person, newRoom }) => {
  const alice = await person('Alice');
  await alice.opens(await newRoom());
  await alice.writes('by button');
  await alice.sendButton.click();
  await alice.sees('by button');
  await expect(alice.composer).toHaveValue('');
});

test('38: an Enter that ends a composition does not send', async ({ person, newRoom }) => {
  const alice = await person('Alice');
  await alice.opens(await newRoom());
  await alice.composer.focus();
  const keys = await alice.context.newCDPSession(alice.page);
  const enter = { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 229 };

  await keys.send('Input.imeSetComposition', { text: 'にほん', selectionStart: 3, selectionEnd: 3 });
  await expect(alice.composer).toHaveValue('にほん');
  await keys.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...enter });
  await keys.send('Input.dispatchKeyEvent', { type: 'keyUp', ...enter });
  await keys.send('Input.insertText', { text: '日本' });

  await expect(alice.composer).toHaveValue('日本');
  await expect(alice.bodies).toHaveCount(0);
  await alice.composer.press('Enter');
  await alice.sees('日本');
});

test('43: 10,000 characters are sent, 10,001 are refused in words and nothing is lost', async ({ person, newRoom }) => {
  const room = await newRoom();
  const [alice, bob] = await Promise.all([person('Alice'), person('Bob')]);
  await Promise.all([alice.opens(room), bob.opens(room)]);
  const fits = '🍅x'.repeat(5_000);

  await alice.says(`${fits}!`);
  await expect(alice.page.getByRole('alert')).toContainText('10,000');
  await expect(alice.composer).toHaveValue(`${fits}!`);
  await expect(alice.bodies).toHaveCount(0);

  await alice.composer.press('Backspace');
  await expect(alice.page.getByRole('alert')).toHaveCount(0);
  await alice.composer.press('Enter');
  await alice.sees(fits);
  await bob.sees(fits);
});

test('43: whitespace alone is not sent', async ({ person, newRoom }) => {
  const alice = await person('Alice');
  await alice.opens(await newRoom());
  for (const blank of [' ', ' \n\t ', '\u00a0\u200b']) await alice.says(blank);
  await alice.writes('');
  await alice.composer.press('Enter');
  await alice.says('something');
  await alice.sees('something');
  await expect(alice.page.getByRole('alert')).toHaveCount(0);
});

test('41: the draft of a room survives a switch of rooms and a reload', async ({ person, guest }, { testId }) => {
  const carol = await guest('Carol');
  const [here, there] = [`Draft here ${testId.slice(-6)}`, `Draft there ${testId.slice(-6)}`];
  const path = await carol.makesRoom(here);
  await carol.makesRoom(there);
  const alice = await person('Alice');
  await alice.opens(path);
  await alice.composer.pressSequentially('half a thou');

  await alice.rooms.getByRole('link', { name: there }).click();
  await expect(alice.page.getByRole('log', { name: there })).toBeVisible();
  await expect(alice.composer).toHaveValue('');
  await alice.rooms.getByRole('link', { name: here }).click();
  await expect(alice.page.getByRole('log', { name: here })).toBeVisible();
  await expect(alice.composer).toHaveValue('half a thou');

  await alice.page.reload();
  await alice.isLive();
  await expect(alice.composer).toHaveValue('half a thou');
  await alice.composer.press('End');
  await alice.composer.pressSequentially('ght');
  await alice.composer.press('Enter');
  await alice.sees('half a thought');
  await alice.page.reload();
  await alice.isLive();
  await expect(alice.composer).toHaveValue('');
});

test('what is typed before the page is alive stays', async ({ person, newRoom }) => {
  const alice = await person('Alice');
  const room = await newRoom();
  let letGo = (): void => {};
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  await alice.page.route(/\.wasm$/, async (route) => {
    await gate;
    await route.continue();
  });
  await alice.page.goto(room, { waitUntil: 'commit' });
  await alice.composer.fill('typed early');
  letGo();
  await alice.isLive();
  await expect(alice.composer).toHaveValue('typed early');
  await alice.composer.press('Enter');
  await alice.sees('typed early');
});

test('an own message is there at once, and the confirmed one takes its place', async ({ person, newRoom }) => {
  const alice = await person('Alice');
  const wire = await Wire.of(alice.page);
  await alice.opens(await newRoom());
  await alice.says('before');
  await alice.sees('before');

  wire.hold((frame) => frame.t === 'ack' || frame.t === 'entries');
  await alice.says('on its way');
  const row = alice.log.locator('.line').filter({ hasText: 'on its way' });
  await expect(row.getByText('Sending')).toBeAttached();
  const id = await row.getAttribute('id');
  const before = await row.elementHandle();
  wire.release();

  await expect(row.getByText('Sending')).toHaveCount(0);
  await expect(row).toHaveAttribute('id', id ?? '');
  expect(await row.evaluate((now, then) => now === then, before), 'it is the same element').toBe(true);
  await alice.sees('before', 'on its way');
  await alice.page.reload();
  await alice.sees('before', 'on its way');
});

test('a refused message says so, and can be retried', async ({ person, newRoom }) => {
  const room = await newRoom();
  const [alice, bob] = await Promise.all([person('Alice'), person('Bob')]);
  const wire = await Wire.of(alice.page);
  await Promise.all([alice.opens(room), bob.opens(room)]);
  wire.answer(({ t, key }) =>
    t === 'send' ? { t: 'nack', key, code: 'forbidden', message: 'The house is closed tonight.' } : undefined,
  );

  await alice.says('let me in');
  const row = alice.message('let me in');
  await expect(row).toContainText('Not sent. The house is closed tonight.');
  await expect(bob.bodies).toHaveCount(0);
  const desk = alice.page.viewportSize();
  await alice.page.setViewportSize({ width: 320, height: 640 });
  const [mark, words] = [await row.locator('.why .icon').boundingBox(), await row.locator('.why span').boundingBox()];
  expect(words?.x, 'the mark stays beside the words').toBeGreaterThanOrEqual((mark?.x ?? 0) + (mark?.width ?? 0));
  if (desk) await alice.page.setViewportSize(desk);

  wire.answer(() => undefined);
  await row.getByRole('button', { name: 'Retry' }).click();
  await bob.sees('let me in');
  await alice.sees('let me in');
  await expect(alice.log.getByText('Not sent')).toHaveCount(0);
});

test('a refused message can be discarded, and stays away', async ({ person, newRoom }) => {
  const alice = await person('Alice');
  const wire = await Wire.of(alice.page);
  await alice.opens(await newRoom());
  wire.answer(({ t, key, body }) =>
    t === 'send' && body === 'bad' ? { t: 'nack', key, code: 'forbidden', message: 'No.' } : undefined,
  );
  await alice.says('good');
  await alice.says('bad');
  await expect(alice.message('bad')).toContainText('Not sent.');
  await alice.page.reload();
  await alice.isLive();
  await expect(alice.message('bad'), 'a reload does not hide what failed').toContainText('Not sent.');

  await alice.message('bad').getByRole('button', { name: 'Discard' }).click();
  await alice.sees('good');
  await alice.page.reload();
  await alice.isLive();
  await alice.sees('good');
});

test('19: what failed together is retried together, in its order', async ({ person, newRoom }) => {
  const room = await newRoom();
  const [alice, bob] = await Promise.all([person('Alice'), person('Bob')]);
  const wire = await Wire.of(alice.page);
  await Promise.all([alice.opens(room), bob.opens(room)]);
  wire.answer(({ t, key }) => (t === 'send' ? { t: 'nack', key, code: 'forbidden', message: 'No.' } : undefined));
  const retryAll = alice.page.getByRole('button', { name: 'Retry all' });
  await alice.says('one');
  await expect(alice.message('one')).toContainText('Not sent. No.');
  await expect(retryAll, 'a single one has a button of its own').toBeHidden();
  await alice.says('two');
  await alice.says('three');
  await expect(alice.page.getByText('3 messages were not sent.')).toBeVisible();

  wire.answer(() => undefined);
  await retryAll.click();

  await bob.sees('one', 'two', 'three');
  await alice.sees('one', 'two', 'three');
  await expect(retryAll).toBeHidden();
});

test('who writes is shown to the others until it is said', async ({ person, newRoom }) => {
  const room = await newRoom();
  const [alice, bob] = await Promise.all([person('Alice'), person('Bob')]);
  await Promise.all([alice.opens(room), bob.opens(room)]);
  await bob.composer.pressSequentially('hm');
  await expect(alice.page.getByText('Bob is typing…')).toBeVisible();
  await bob.composer.press('Enter');
  await alice.sees('hm');
  await expect(alice.page.getByText('Bob is typing…')).toHaveCount(0);
});
