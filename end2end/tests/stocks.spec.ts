// The stock market: the same prices everywhere, alive, paused, back by itself, and whole without a script.
import { AxeBuilder } from '@axe-core/playwright';
import path from 'node:path';
import type { Locator } from '@playwright/test';
import { partsOf } from './support/parts.ts';
import { expect, first, lostSocket, second, test, type Person } from './support/test.ts';

const symbols = ['AAPL', 'AMZN', 'GOOG', 'IBM', 'META', 'MSFT', 'NFLX', 'NVDA', 'SAP', 'TSLA'];
const price = /^\d+\.\d\d$/;

/** The table by the names that assistive technology sees. */
class Stocks {
  readonly rows: Locator;
  readonly prices: Locator;

  constructor(readonly who: Person) {
    this.rows = who.page.getByRole('row').filter({ has: who.page.getByRole('rowheader') });
    this.prices = this.rows.locator('.price');
  }

  static async opens(who: Person): Promise<Stocks> {
    await who.page.goto('/stocks');
    return new Stocks(who);
  }

  button(name: 'Pause' | 'Resume'): Locator {
    return this.who.page.getByRole('button', { name, exact: true });
  }

  async isAccessible(): Promise<void> {
    const { violations } = await new AxeBuilder({ page: this.who.page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
  }

  /** Waits until some price is another than now. */
  async move(): Promise<void> {
    const now = await this.prices.allTextContents();
    await expect.poll(() => this.prices.allTextContents()).not.toEqual(now);
  }

  async picture(name: string): Promise<void> {
    const file = path.join(test.info().project.outputDir, 'pictures', `${name}.png`);
    await this.who.page.screenshot({ path: file, animations: 'disabled' });
    await test.info().attach(name, { path: file, contentType: 'image/png' });
  }
}

/** Prices of a second by their stock, as the page got them. */
const lastPrices = async (who: Person): Promise<string[]> => (await new Stocks(who).prices.allTextContents()).sort();

test('a table of ten stocks is alive: prices move by themselves', async ({ stranger }) => {
  const stocks = await Stocks.opens(await stranger());
  await expect(stocks.who.status).toHaveText('Live');
  await expect(stocks.rows.getByRole('rowheader')).toHaveText(symbols);
  for (const text of await stocks.prices.allTextContents()) expect(text).toMatch(price);
  await stocks.move();
  await expect(stocks.rows.first().locator('path.trace')).toHaveAttribute('d', /^M\d+ \d+(L\d+ \d+){50,}$/);
  await stocks.button('Pause').click();
  await expect(stocks.who.status).toHaveText('Paused');
  // Up and down are said by a sign and a mark as well as by colour.
  for (const row of await stocks.rows.all()) {
    const text = await row.locator('.change').innerText();
    const trend = (await row.getAttribute('class')) ?? '';
    expect(text).toMatch({ up: /▲\s*\+\d/, down: /▼\s*−\d/, even: /■\s*0\.00/ }[trend] ?? /never/);
  }
  await expect(stocks.rows.first().locator('.range')).toHaveText(/^\d+\.\d\d to \d+\.\d\d$/);
});

test('Pause holds the prices still, Resume shows what came meanwhile', async ({ stranger }) => {
  const stocks = await Stocks.opens(await stranger());
  await expect(stocks.who.status).toHaveText('Live');
  await stocks.button('Pause').focus();
  await stocks.who.page.keyboard.press('Enter');
  await expect(stocks.who.status).toHaveText('Paused');
  const held = await stocks.prices.allTextContents();
  const other = await Stocks.opens(await stranger());
  await other.move();
  await other.move();
  expect(await stocks.prices.allTextContents()).toEqual(held);
  await expect(stocks.button('Resume')).toBeFocused();
  await stocks.who.page.keyboard.press('Enter');
  await expect(stocks.who.status).toHaveText('Live');
  await expect.poll(() => stocks.prices.allTextContents()).not.toEqual(held);
});

test('all instances show the same prices', async ({ stranger }) => {
  const [one, two] = [await stranger({ url: first }), await stranger({ url: second })];
  for (const who of [one, two]) {
    await who.page.goto('/stocks');
    await expect(who.status).toHaveText('Live');
  }
  // Both are looked at within one second, sooner or later.
  await expect
    .poll(async () => {
      const [a, b] = await Promise.all([lastPrices(one), lastPrices(two)]);
      return a.join() === b.join();
    })
    .toBe(true);
});

test('the page comes back by itself when its server does', async ({ stranger, stage }) => {
  const server = await stage.alone();
  const stocks = await Stocks.opens(await stranger({ url: server.url }));
  stocks.who.complaints.allow(lostSocket, /ERR_/);
  await expect(stocks.who.status).toHaveText('Live');
  await server.stop('SIGKILL');
  await expect(stocks.who.status).toHaveText('Reconnecting');
  const held = await stocks.prices.allTextContents();
  await server.start();
  await expect(stocks.who.status).toHaveText('Live', { timeout: 30_000 });
  await expect.poll(() => stocks.prices.allTextContents()).not.toEqual(held);
});

test('whose session has ended is told so, and how to come in again', async ({ person, stage }) => {
  const { url } = await stage.gated();
  const stocks = await Stocks.opens(await person('Alice', { url }));
  const { page, status, context } = stocks.who;
  await expect(status).toHaveText('Live');
  await expect(page.getByRole('link', { name: 'Enter again' })).toBeHidden();
  const left = await context.request.post(`${url}/leave`, { headers: { Origin: url }, maxRedirects: 0 });
  expect(left.status(), 'premise: she has left').toBe(303);

  await expect(status).toHaveText('Signed out');
  await expect(stocks.button('Pause')).toBeHidden();
  await stocks.isAccessible();
  await stocks.picture('stocks-signed-out');
  await page.getByRole('link', { name: 'Enter again' }).click();
  await page.getByRole('textbox', { name: 'Your name' }).fill('Alice');
  await page.getByRole('button', { name: 'Enter', exact: true }).click();
  await expect(page).toHaveURL('/stocks');
  await expect(status).toHaveText('Live');
});

test('whose session ended while the prices were held is told so when they go on', async ({ person, stage }) => {
  const { url } = await stage.gated();
  const stocks = await Stocks.opens(await person('Alice', { url }));
  await expect(stocks.who.status).toHaveText('Live');
  await stocks.button('Pause').click();
  await expect(stocks.who.status).toHaveText('Paused');
  await stocks.who.context.request.post(`${url}/leave`, { headers: { Origin: url }, maxRedirects: 0 });
  await stocks.button('Resume').click();
  await expect(stocks.who.status).toHaveText('Signed out');
});

test('without a script the table is whole', async ({ stranger }) => {
  const stocks = await Stocks.opens(await stranger({ javaScriptEnabled: false }));
  await expect(stocks.rows.getByRole('rowheader')).toHaveText(symbols);
  for (const text of await stocks.prices.allTextContents()) expect(text).toMatch(price);
  await expect(stocks.rows.first().locator('path.trace')).toHaveAttribute('d', /^M\d+ \d+(L\d+ \d+){50,}$/);
  expect(await stocks.who.page.locator('noscript').innerHTML()).toBe('Reload to see newer prices.');
  await expect(stocks.button('Pause')).toBeHidden();
});

test("a browser's EventSource gets the last five minutes at once, and then each second", async ({ stranger }) => {
  const who = await stranger();
  await who.page.goto('/');
  const heard = await who.page.evaluate(
    () =>
      new Promise<{ id: string; data: string }[]>((resolve) => {
        const events: { id: string; data: string }[] = [];
        const source = new EventSource('/feeds/stocks');
        source.addEventListener('quote', ({ lastEventId, data }: MessageEvent<string>) => {
          events.push({ id: lastEventId, data });
          const { at } = JSON.parse(data) as { at: number };
          const { at: oldest } = JSON.parse(events[0]?.data ?? '{}') as { at: number };
          if (at - oldest < 301_000) return;
          source.close();
          resolve(events);
        });
      }),
  );
  expect(heard.length).toBeGreaterThan(2_500);
  expect(new Set(heard.map(({ id }) => id)).size, 'every event has an id of its own').toBe(heard.length);
  const quote = JSON.parse(heard.at(-1)?.data ?? '') as Record<string, unknown>;
  expect(Object.keys(quote)).toEqual(['symbol', 'price', 'change', 'at']);
});

test('a room is told a price, as a card that stays', async ({ person, newRoom }) => {
  const room = await newRoom();
  const [alice, bob] = [await person('Alice'), await person('Bob')];
  await alice.opens(room);
  await bob.opens(room);
  await alice.says('/stocks aapl');
  const card = /^AAPL \d+\.\d\d (▲ \+|▼ −|■ )\d+\.\d\d \([+−]?\d+\.\d\d %\)$/;
  for (const who of [alice, bob]) await expect(who.bodies).toHaveText([card]);
  const told = await bob.bodies.first().innerText();
  await expect(bob.messages.locator('.quote')).toHaveCount(1);
  await alice.says('/stocks NOPE');
  await expect(alice.log.getByText('There is no stock NOPE here.')).toBeVisible();
  await bob.says('/stocks are up today');
  await expect(bob.bodies.last()).toHaveText('/stocks are up today');
  await bob.page.reload();
  expect(await bob.bodies.first().innerText()).toBe(told);
});

test('the way there is in the list of rooms, and leads back', async ({ person }) => {
  const alice = await person('Alice');
  await alice.opens('/r/chat');
  await alice.rooms.getByRole('link', { name: 'Stocks' }).click();
  await expect(alice.page).toHaveURL('/stocks');
  await expect(alice.status).toHaveText('Live');
  await alice.page.getByRole('link', { name: 'Tertulia' }).click();
  await expect(alice.page).toHaveURL('/r/chat');
  await alice.isLive();
});

test('its part of the program is fetched by who opens it, in whatever way, and not by a room', async ({ person }) => {
  const alice = await person('Alice');
  const parts = partsOf(alice.page);
  await alice.opens('/r/chat');
  await alice.isLive();
  expect(parts).toEqual(['tertulia']);
  const fetched = alice.page.waitForResponse(/\/split_stocks\.wasm$/);
  await alice.rooms.getByRole('link', { name: 'Stocks' }).click();
  await expect(alice.status).toHaveText('Live');
  expect(parts).toContain('split_stocks');
  expect(parts).not.toContain('split_cluster');
  const headers = await (await fetched).allHeaders();
  expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
  expect(headers['content-encoding']).toBe('br');
  expect(headers['content-type']).toBe('application/wasm');

  // The page of the room is loaded afresh, so that the way back begins without the part.
  await alice.page.getByRole('link', { name: 'Tertulia' }).click();
  await expect(alice.page).toHaveURL('/r/chat');
  await alice.page.reload();
  await alice.isLive();
  await alice.page.goBack();
  await expect(alice.page).toHaveURL('/stocks');
  await expect(alice.status).toHaveText('Live');
});

test('where its part cannot be fetched, the page stays as the server wrote it', async ({ stranger }) => {
  const who = await stranger();
  who.complaints.allow(/split_stocks\.wasm|Failed to fetch|ERR_FAILED/);
  await who.page.route(/\/split_stocks\.wasm$/, (route) => route.abort());
  const refused = who.page.waitForEvent('requestfailed', (request) => request.url().endsWith('/split_stocks.wasm'));
  const stocks = await Stocks.opens(who);
  await refused;
  await expect(stocks.rows.getByRole('rowheader')).toHaveText(symbols);
  await expect(who.status).toBeEmpty();
  await expect(who.page.getByText('Something broke.')).toBeHidden();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`it fits every width and is accessible, ${colorScheme}`, async ({ stranger }) => {
    const stocks = await Stocks.opens(await stranger({ colorScheme }));
    await expect(stocks.who.status).toHaveText('Live');
    for (const width of [320, 375, 768, 1440]) {
      await stocks.who.page.setViewportSize({ width, height: 800 });
      await expect.poll(() => stocks.who.page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      await stocks.picture(`stocks-${width}-${colorScheme}`);
      await stocks.isAccessible();
    }
    await stocks.button('Pause').click();
    await expect(stocks.who.status).toHaveText('Paused');
    await stocks.isAccessible();
  });
}
