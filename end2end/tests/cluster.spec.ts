// The cluster one can watch: the drawing lives, a message travels, the switch cuts and heals, and it reads without scripts.
import { AxeBuilder } from '@axe-core/playwright';
import { partsOf } from './support/parts.ts';
import { expect, first, second, test, type Person } from './support/test.ts';

/** The row of an instance in the table, which tells what the drawing shows. */
const row = (who: Person, name: string) => who.page.getByRole('row').filter({ has: who.page.getByRole('rowheader', { name }) });

async function isAccessible(who: Person): Promise<void> {
  const { violations } = await new AxeBuilder({ page: who.page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
}

async function picture(who: Person, name: string): Promise<void> {
  await who.page.screenshot({ path: test.info().outputPath(`${name}.png`), fullPage: true, animations: 'allow' });
}

test('three instances are drawn around Redis, and the one I am on says so', async ({ stranger }) => {
  const teacher = await stranger({ url: first });
  await teacher.page.goto('/cluster');
  await expect(teacher.status).toHaveText('Live');
  await expect(teacher.page.getByRole('rowheader')).toHaveCount(3);
  await expect(teacher.page.getByRole('rowheader', { name: 'you are here' })).toHaveCount(1);
  await expect(teacher.page.locator('.cluster-drawing .row.live')).toHaveCount(3);
  await expect(teacher.page.locator('.cluster-drawing .redis')).toHaveText('Redis');
  await expect(teacher.page.locator('.cluster-drawing .here')).toHaveCount(1);
});

test('a message travels from its browser over Redis to who is in its room', async ({ stranger, person, newRoom }) => {
  const room = await newRoom(first);
  const alice = await person('Alice', { url: first });
  const bob = await person('Bob', { url: second });
  await alice.opens(room);
  await bob.opens(room);
  const teacher = await stranger({ url: second });
  await teacher.page.goto('/cluster');
  await expect(teacher.page.getByRole('rowheader')).toHaveCount(3);
  await expect(teacher.status).toHaveText('Live');
  // The others say every second which rooms they follow: said until somebody heard it travel to Bob.
  await expect(async () => {
    await alice.says('look at me');
    await expect(teacher.page.locator('.travel .three').first()).toBeAttached({ timeout: 1_000 });
  }).toPass();
  await expect(teacher.page.locator('.travel')).toHaveCount(0);
});

test('the switch makes an island of an instance, and healing brings what it missed, once', async ({ stage, person, guest, stranger }) => {
  const { instances } = await stage.cluster(2, '--rate-limits', 'off');
  const [one, two] = instances.map((instance) => instance.url);
  const alice = await guest('Alice', one);
  const room = await alice.makesRoom('lesson');
  const bob = await person('Bob', { url: two });
  await bob.opens(room);
  const teacher = await stranger({ url: two });
  await teacher.page.goto('/cluster');
  await expect(teacher.page.getByRole('rowheader')).toHaveCount(2);

  await teacher.page.getByRole('checkbox', { name: 'Also without SQL' }).check();
  await teacher.page.getByRole('button', { name: 'Cut the bus' }).click();
  await expect(row(teacher, 'you are here')).toContainText('island, ');
  await expect(teacher.page.getByText('is an island')).toBeVisible();
  await expect(bob.status).toHaveText(/degraded/);
  await isAccessible(teacher);
  await picture(teacher, 'island');

  await alice.says(room, 'one', 'two');
  // Two pictures later, and four comparisons later if any were made, nothing has come.
  const uptime = row(teacher, 'you are here').getByRole('cell').nth(1);
  for (let second = 0; second < 3; second += 1) await expect(uptime).not.toHaveText(await uptime.innerText());
  await expect(bob.bodies).toHaveCount(0);

  await teacher.page.getByRole('button', { name: 'Heal it now' }).click();
  await bob.sees('one', 'two');
  await bob.isLive();
  await expect(row(teacher, 'you are here')).toContainText('live');
  await expect(teacher.page.getByRole('button', { name: 'Cut the bus' })).toBeVisible();
});

test('without scripts the instances are a table, and the switch is a form', async ({ stage, stranger }) => {
  const { instances } = await stage.cluster(2);
  const reader = await stranger({ url: instances[0]?.url ?? '', javaScriptEnabled: false });
  // They know of each other within seconds of their start; the page asks them, and gives them a moment.
  await expect(async () => {
    await reader.page.goto('/cluster');
    await expect(reader.page.getByRole('rowheader')).toHaveCount(2, { timeout: 500 });
  }).toPass();
  await expect(reader.status, 'nothing says that it lives').toBeEmpty();
  await reader.page.getByRole('button', { name: 'Cut the bus' }).click();
  await expect(row(reader, 'you are here')).toContainText('cut off, ');
  await reader.page.getByRole('button', { name: 'Heal it now' }).click();
  await expect(reader.page.getByRole('button', { name: 'Cut the bus' })).toBeVisible();
});

test('one instance alone is drawn as it is: without Redis', async ({ stranger }) => {
  const reader = await stranger();
  await reader.page.goto('/cluster');
  await expect(reader.status).toHaveText('Live');
  await expect(reader.page.getByRole('rowheader')).toHaveCount(1);
  await expect(reader.page.locator('.cluster-drawing .redis')).toHaveCount(0);
  await expect(reader.page.getByText('there is no Redis to draw')).toBeVisible();
  await expect(reader.page.getByRole('button', { name: 'Cut the bus' })).toBeHidden();
  await isAccessible(reader);
});

test('where motion is not wanted, the way lights up and nothing moves', async ({ stranger, guest }) => {
  const reader = await stranger({ url: first, reducedMotion: 'reduce' });
  await reader.page.goto('/cluster');
  await expect(reader.status).toHaveText('Live');
  const alice = await guest('Alice', first);
  await expect(async () => {
    await alice.says('/r/chat', 'still');
    await expect(reader.page.locator('.travel .leg').first()).toHaveCSS('animation-name', 'none', { timeout: 1_000 });
  }).toPass();
});

test('an instance that goes away is tried again by itself', async ({ stage, stranger }) => {
  const server = await stage.alone();
  const teacher = await stranger({ url: server.url });
  teacher.complaints.allow(/net::ERR_/);
  await teacher.page.goto('/cluster');
  await expect(teacher.status).toHaveText('Live');
  await server.stop();
  await expect(teacher.status).toHaveText('Out of reach, trying again');
  await server.start();
  await expect(teacher.status).toHaveText('Live', { timeout: 20_000 });
});

test('its part of the program is fetched by who opens it, and not with the part of another page', async ({ stranger }) => {
  const teacher = await stranger();
  const parts = partsOf(teacher.page);
  await teacher.page.goto('/cluster');
  await expect(teacher.status).toHaveText('Live');
  expect(parts[0]).toBe('tertulia');
  expect(parts).toContain('split_cluster');
  expect(parts).not.toContain('split_stocks');
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the cluster fits every screen and is accessible, ${colorScheme}`, async ({ stage, stranger, guest }) => {
    const { instances } = await stage.cluster(3);
    const url = instances[0]?.url ?? '';
    const teacher = await stranger({ url, colorScheme });
    await teacher.page.goto('/cluster');
    await expect(teacher.page.getByRole('rowheader')).toHaveCount(3);
    await expect(teacher.status).toHaveText('Live');
    const alice = await guest('Alice', url);
    for (const width of [320, 390, 768, 1440]) {
      await teacher.page.setViewportSize({ width, height: 900 });
      const wider = await teacher.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(wider, `nothing sticks out at ${width} px`).toBeLessThanOrEqual(0);
      const frames = await teacher.page.evaluate(() =>
        Array.from(document.querySelectorAll('*'))
          .filter((part) => /auto|scroll/.test(getComputedStyle(part).overflowX) && part.scrollWidth > part.clientWidth)
          .map((part) => part.className),
      );
      expect(frames, `nothing is to be scrolled sideways at ${width} px`).toEqual([]);
      // Drawn as cards it is still a table: each number stands in a row and under a head.
      await expect(teacher.page.getByRole('rowheader')).toHaveCount(3);
      await expect(teacher.page.getByRole('cell')).toHaveCount(3 * 7);
      await expect(teacher.page.getByRole('columnheader')).toHaveCount(8);
      await alice.says('/r/chat', `at ${width}`);
      await picture(teacher, `cluster-${width}-${colorScheme}`);
    }
    await isAccessible(teacher);
    await teacher.page.setViewportSize({ width: 320, height: 900 });
    await isAccessible(teacher);
  });
}
