// One person in several tabs of one browser: what waits outlives its tab, goes once, and each tab keeps its order.
import { expect, first, lostSocket, second, test, type Person } from '../support/test.ts';
import { agree, enterByForm, numbered } from '../support/people.ts';
import { Wire } from '../support/wire.ts';

/** Over plain http on a network there are no locks: the tabs find out by asking each other. */
const takeLocksAway = (): void => {
  Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined });
};

/** Ends a tab without letting it say anything. */
async function crash(who: Person): Promise<void> {
  const crashed = who.page.waitForEvent('crash');
  const session = await who.context.newCDPSession(who.page);
  // It has no answer: nobody is there any more to give one.
  session.send('Page.crash').catch(() => undefined);
  await crashed;
  await who.page.close();
}

const ends: readonly (readonly [words: string, end: (who: Person) => Promise<void>])[] = [
  ['is closed', (who) => who.page.close()],
  ['crashes', crash],
];

/** Names of outboxes that lie in the browser. */
const kept = (who: Person): Promise<string[]> =>
  who.page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith('outbox')));

for (const way of ['', ', where the browser has no locks']) {
  for (const [words, end] of ends) {
    test(`15: what waits in a tab that ${words} goes from the next one, exactly once${way}`, async ({
      person,
      newRoom,
    }) => {
      const room = await newRoom(first);
      const alice = await person('Alice', { url: first });
      const bob = await person('Bob', { url: second });
      alice.complaints.allow(lostSocket);
      if (way) await alice.context.addInitScript(takeLocksAway);
      await Promise.all([alice.opens(room), bob.opens(room)]);
      await alice.context.setOffline(true);
      await expect(alice.status).toHaveText('Offline');
      await alice.says('from the tunnel');
      await alice.says('still in it');
      await expect(alice.status).toHaveText('Offline (2 queued)');

      await end(alice);
      await alice.context.setOffline(false);
      await expect(bob.bodies).toHaveCount(0);
      const again = await alice.anotherTab();
      await again.opens(room);

      await bob.sees('from the tunnel', 'still in it');
      await again.sees('from the tunnel', 'still in it');
      await expect.poll(() => kept(again), 'nothing waits any more').toEqual([]);
    });
  }

  test(`what waits in a tab that is closed goes from one that is open, after what it says itself${way}`, async ({
    person,
    newRoom,
  }) => {
    const room = await newRoom();
    const [alice, bob] = await Promise.all([person('Alice'), person('Bob')]);
    if (way) await alice.context.addInitScript(takeLocksAway);
    const wire = await Wire.of(alice.page);
    const other = await alice.anotherTab();
    await Promise.all([alice.opens(room), other.opens(room), bob.opens(room)]);
    wire.answer(({ t }) => (t === 'send' ? 'nothing' : undefined));
    await alice.says('left behind');
    await alice.says('and this');
    await expect(alice.message('and this').getByText('Sending')).toBeAttached();
    await other.says('said by the living');
    await bob.sees('said by the living');

    await alice.page.close();

    // A page that is ended in a hurry may not have said so: without locks, it is asked and given time to answer.
    await expect(bob.bodies).toHaveCount(3, { timeout: 30_000 });
    await agree([bob, other], ['said by the living', 'left behind', 'and this']);
    await bob.sees('said by the living', 'left behind', 'and this');
  });
}

test('two tabs that wrote offline send every message once, each in its order', async ({ person, newRoom }) => {
  const room = await newRoom(first);
  const one = await person('Alice', { url: first });
  const bob = await person('Bob', { url: second });
  one.complaints.allow(lostSocket);
  const two = await one.anotherTab();
  await Promise.all([one.opens(room), two.opens(room), bob.opens(room)]);
  await one.context.setOffline(true);
  const texts = { one: numbered('one', 4), two: numbered('two', 4) };
  for (const who of [one, two]) await expect(who.status).toHaveText('Offline');
  for (const step of [0, 1, 2, 3]) {
    await one.says(texts.one[step] ?? '');
    await two.says(texts.two[step] ?? '');
  }
  for (const who of [one, two]) await expect(who.status).toHaveText('Offline (4 queued)');

  await one.context.setOffline(false);

  await agree([bob, one, two], [...texts.one, ...texts.two]);
  const order = await bob.bodies.allTextContents();
  expect(order.filter((text) => text.startsWith('one'))).toEqual(texts.one);
  expect(order.filter((text) => text.startsWith('two'))).toEqual(texts.two);
});

test('a duplicated tab takes nothing from the one it was made of', async ({ person, newRoom }) => {
  const room = await newRoom();
  const [alice, bob] = await Promise.all([person('Alice'), person('Bob')]);
  const wire = await Wire.of(alice.page);
  await Promise.all([alice.opens(room), bob.opens(room)]);
  wire.answer(({ t }) => (t === 'send' ? 'nothing' : undefined));
  await alice.says('waits here');
  await expect(alice.message('waits here').getByText('Sending')).toBeAttached();

  const opened = alice.context.waitForEvent('page');
  await alice.page.evaluate(() => void window.open(location.href));
  const copy = alice.onPage(await opened);
  await copy.isLive();
  const remembers = (who: Person): Promise<string | null> => who.page.evaluate(() => sessionStorage.getItem('me'));
  expect(await remembers(copy), "premise: it has the tab's memory").toBe(await remembers(alice));
  await copy.says('said in the copy');
  await bob.sees('said in the copy');
  await expect(copy.bodies).toHaveCount(1);

  await alice.page.close();
  await agree([bob, copy], ['said in the copy', 'waits here']);
});

test('a refused message outlives its tab, and can be retried from the next', async ({ person, newRoom }) => {
  const room = await newRoom();
  const [alice, bob] = await Promise.all([person('Alice'), person('Bob')]);
  const wire = await Wire.of(alice.page);
  await Promise.all([alice.opens(room), bob.opens(room)]);
  wire.answer(({ t, key }) => (t === 'send' ? { t: 'nack', key, code: 'forbidden', message: 'No.' } : undefined));
  await alice.says('hear me');
  await alice.says('not this');
  await expect(alice.log.getByText('Not sent. No.')).toHaveCount(2);

  const next = await alice.anotherTab();
  await alice.page.close();
  await next.opens(room);

  await expect(next.log.getByText('Not sent. No.')).toHaveCount(2);
  await next.message('not this').getByRole('button', { name: 'Discard' }).click();
  await next.message('hear me').getByRole('button', { name: 'Retry' }).click();
  await agree([bob, next], ['hear me']);
  await next.page.reload();
  await agree([bob, next], ['hear me']);
  expect(await kept(next)).toEqual([]);
});

test('what one person wrote in a tab that is closed never goes out in the name of another', async ({
  person,
  newRoom,
}) => {
  const room = await newRoom();
  const alice = await person('Alice');
  alice.complaints.allow(lostSocket);
  await alice.opens(room);
  await alice.context.setOffline(true);
  await expect(alice.status).toHaveText('Offline');
  await alice.says('by Alice');
  await expect(alice.status).toHaveText('Offline (1 queued)');
  expect(await kept(alice), 'premise: it lies there').toHaveLength(1);

  await alice.page.close();
  await enterByForm(alice.context.request, alice.url, 'Bruno');
  await alice.context.setOffline(false);
  const bruno = await alice.anotherTab();
  await bruno.opens(room);

  await expect.poll(() => kept(bruno), 'nobody will ever send it').toEqual([]);
  await expect(bruno.bodies).toHaveCount(0);
  await bruno.says('by Bruno');
  await bruno.sees('by Bruno');
});

test('who leaves is asked about what waits in another tab, and it goes with them', async ({ person, newRoom }) => {
  const room = await newRoom();
  const alice = await person('Alice');
  const wire = await Wire.of(alice.page);
  const other = await alice.anotherTab();
  await Promise.all([alice.opens(room), other.opens(room)]);
  wire.answer(({ t }) => (t === 'send' ? 'nothing' : undefined));
  await alice.says('not sent yet');
  await expect(alice.message('not sent yet').getByText('Sending')).toBeAttached();

  const asked: string[] = [];
  other.page.once('dialog', async (dialog) => {
    asked.push(dialog.message());
    await dialog.dismiss();
  });
  await other.page.getByRole('button', { name: 'Leave' }).click();
  expect(asked).toEqual([expect.stringContaining('is not sent yet')]);
  await other.isLive();

  other.page.once('dialog', (dialog) => void dialog.accept());
  await other.page.getByRole('button', { name: 'Leave' }).click();
  for (const who of [other, alice]) {
    await expect(who.page.getByRole('textbox', { name: 'Your name' })).toBeVisible();
  }
  expect(await kept(other)).toEqual([]);
});
