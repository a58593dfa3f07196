// How it looks, as far as a program can tell: it fits every width, it has contrast and names, a phone has one pane.
import { AxeBuilder } from '@axe-core/playwright';
import path from 'node:path';
import { evening, hold, stretching } from './support/evening.ts';
import { numbered } from './support/people.ts';
import type { Stage } from './support/programs.ts';
import { expect, test, type Fixtures, type Guest, type Person } from './support/test.ts';

const widths = [320, 375, 768, 1440] as const;
const schemes = ['light', 'dark'] as const;

/** The page and the log scroll in one direction only, and nothing reaches over the edge. */
async function fits(who: Person, width: number): Promise<void> {
  await who.page.setViewportSize({ width, height: 720 });
  const measure = (): Promise<string[]> =>
    who.page.evaluate(() => {
      const scrolling = document.scrollingElement ?? document.body;
      const faults: string[] = [];
      const described = (element: Element): string => `${element.tagName.toLowerCase()}.${element.className}`;
      if (scrolling.scrollWidth > innerWidth) faults.push(`the page is ${scrolling.scrollWidth} wide`);
      for (const element of document.querySelectorAll('[role=log], .sidebar, .members, .sheet')) {
        if (element.scrollWidth > element.clientWidth) {
          faults.push(`${described(element)} holds ${element.scrollWidth} in ${element.clientWidth}`);
        }
      }
      for (const element of document.querySelectorAll('.body, .author, h1, textarea, input, button, a')) {
        const box = element.getBoundingClientRect();
        const seen = element.checkVisibility({ visibilityProperty: true }) && box.width > 1;
        if (seen && (box.right > innerWidth + 0.5 || box.left < -0.5)) {
          faults.push(`${described(element)} lies from ${box.left} to ${box.right}`);
        }
      }
      return faults;
    });
  await expect.poll(measure, `nothing stretches ${width} px`).toEqual([]);
}

/** What is written lies under what was said: one measure, whatever a scrollbar takes. */
async function isInLine(who: Person, upper = '.day'): Promise<void> {
  const sides = (selector: string): Promise<number[]> =>
    who.page
      .locator(selector)
      .first()
      .evaluate((element) => {
        const { left, right } = element.getBoundingClientRect();
        return [Math.round(left), Math.round(right)];
      });
  expect(await sides('.paper'), 'the composer lies under the log').toEqual(await sides(upper));
}

async function picture(who: Person, name: string): Promise<void> {
  const file = path.join(test.info().project.outputDir, 'pictures', `${name}.png`);
  await who.page.screenshot({ path: file, animations: 'disabled' });
  await test.info().attach(name, { path: file, contentType: 'image/png' });
}

async function isAccessible(who: Person): Promise<void> {
  // Half of a fade has half of the contrast.
  await expect.poll(() => who.page.evaluate(() => document.getAnimations().length)).toBe(0);
  const { violations } = await new AxeBuilder({ page: who.page }).analyze();
  const told = violations.map(({ id, impact, nodes }) => ({
    id,
    impact,
    where: nodes.map(({ target, failureSummary }) => `${target.join(' ')}: ${failureSummary ?? ''}`),
  }));
  expect(told).toEqual([]);
}

/** A house with a few rooms and an evening in one of them; the answer is that room. */
async function furnish(stage: Stage, guest: Fixtures['guest']): Promise<{ url: string; room: string; host: Guest }> {
  const { url } = await stage.alone();
  const names = [...new Set(evening.map(([who]) => who))];
  const friends = new Map(await Promise.all(names.map(async (name) => [name, await guest(name, url)] as const)));
  const host = friends.get('Núria');
  if (!host) throw new Error('the host is missing');
  await host.makesRooms('Música', 'Libros de verano', 'Work in progress');
  const room = await host.makesRoom('Sopar de divendres');
  await hold(room, friends);
  return { url, room, host };
}

for (const colorScheme of schemes) {
  test(`the entrance fits and is accessible, ${colorScheme}`, async ({ stranger }) => {
    const alice = await stranger({ colorScheme });
    await alice.page.goto('/?refused=name_reserved');
    for (const width of widths) {
      await fits(alice, width);
      await picture(alice, `entrance-${width}-${colorScheme}`);
    }
    await isAccessible(alice);
    await fits(alice, 320);
    await isAccessible(alice);
  });

  test(`a room fits and is accessible, ${colorScheme}`, async ({ person, guest, stage }) => {
    const { url, room, host } = await furnish(stage, guest);
    const ellen = await person('Ellen', { url, colorScheme });
    await ellen.opens(room);
    await ellen.says('See you on Friday!');
    const marcos = await person('Marcos', { url });
    await marcos.opens(room);
    await expect(ellen.online.getByRole('listitem')).toHaveCount(2);
    await expect(ellen.bodies.last()).toHaveText('See you on Friday!');
    for (const width of widths) {
      await fits(ellen, width);
      await isInLine(ellen);
      await expect(ellen.bodies.last()).toBeInViewport();
      await picture(ellen, `room-${width}-${colorScheme}`);
    }
    await isAccessible(ellen);
    await fits(ellen, 320);
    await isAccessible(ellen);

    await host.says(room, ...stretching);
    await expect(ellen.bodies).toHaveCount(evening.length + 1 + stretching.length);
    for (const width of widths) {
      await fits(ellen, width);
      await picture(ellen, `stretched-${width}-${colorScheme}`);
    }
  });
}

test('a long name stretches nothing', async ({ person, guest, stage }) => {
  const { url } = await stage.alone();
  const longest = 'W'.repeat(48);
  const host = await guest(longest, url);
  const room = await host.makesRoom('M'.repeat(64));
  await host.says(room, 'hello');
  const alice = await person(longest, { url });
  await alice.opens(room);
  for (const width of widths) {
    await fits(alice, width);
    await picture(alice, `long-names-${width}`);
  }
});

test('a long message is folded, and its button lies below what is seen of it', async ({ person, guest, newRoom }) => {
  const room = await newRoom();
  await (await guest('Bob')).says(room, numbered('line', 60).join('\n'));
  for (const colorScheme of schemes) {
    const alice = await person('Alice', { colorScheme });
    await alice.opens(room);
    const all = alice.log.getByRole('checkbox', { name: 'Show all' });
    const button = alice.log.locator('.show-all');
    const [text, shown] = [await alice.bodies.boundingBox(), await button.boundingBox()];
    expect(shown?.height).toBeGreaterThanOrEqual(24);
    expect(shown?.y).toBeGreaterThanOrEqual((text?.y ?? 0) + (text?.height ?? 0));
    await picture(alice, `folded-${colorScheme}`);
    await all.focus();
    await alice.page.keyboard.press('Space');
    await expect.poll(async () => (await alice.bodies.boundingBox())?.height).toBeGreaterThan(text?.height ?? 0);
    await isAccessible(alice);
  }
});

test('from right to left the page fits as well', async ({ person, guest, stage }) => {
  const { url, room } = await furnish(stage, guest);
  const alice = await person('Alice', { url });
  await alice.opens(room);
  await alice.page.evaluate(() => document.documentElement.setAttribute('dir', 'rtl'));
  for (const width of [320, 1440]) {
    await fits(alice, width);
    await picture(alice, `right-to-left-${width}`);
  }
});

test('55: a phone shows one pane at a time', async ({ person, guest, stage }) => {
  const { url, room } = await furnish(stage, guest);
  const phone = { viewport: { width: 375, height: 667 }, hasTouch: true, isMobile: true };
  const alice = await person('Alice', { url, ...phone });
  await alice.opens(room);
  const roomsButton = alice.page.getByRole('button', { name: 'Rooms' });
  const onlineButton = alice.page.getByRole('button', { name: /online$/ });
  await expect(alice.rooms).toBeHidden();
  await expect(alice.online).toBeHidden();
  await expect(alice.composer).toBeInViewport({ ratio: 1 });
  await expect(alice.composer, 'no keyboard jumps up').not.toBeFocused();
  await picture(alice, 'phone-room');

  await roomsButton.tap();
  await expect(alice.rooms).toBeVisible();
  await picture(alice, 'phone-rooms');
  await isAccessible(alice);
  await alice.page.keyboard.press('Escape');
  await expect(alice.rooms).toBeHidden();

  await onlineButton.tap();
  await expect(alice.online).toBeVisible();
  await expect(alice.rooms).toBeHidden();
  await picture(alice, 'phone-online');
  await alice.page.keyboard.press('Escape');
  await expect(alice.online).toBeHidden();

  await roomsButton.tap();
  await alice.rooms.getByRole('link', { name: 'Música' }).tap();
  await expect(alice.page.getByRole('log', { name: 'Música' })).toBeVisible();
  await expect(alice.rooms).toBeHidden();
  await alice.isLive();

  // Under a thumb Enter makes a line, the button sends.
  await alice.composer.tap();
  await alice.page.keyboard.type('one');
  await alice.page.keyboard.press('Enter');
  await alice.page.keyboard.type('two');
  await expect(alice.composer).toHaveValue('one\ntwo');
  await alice.sendButton.tap();
  await expect(alice.bodies).toHaveCount(1);
});

test('what goes wrong looks and reads like it', async ({ person, stage }) => {
  const server = await stage.alone();
  for (const colorScheme of schemes) {
    const alice = await person('Alice', { url: server.url, colorScheme });
    alice.complaints.allow(/net::ERR_/);
    await alice.opens('/r/chat');
    await alice.context.setOffline(true);
    await alice.says('waiting');
    await expect(alice.status).toHaveText('Offline (1 queued)');
    await alice.writes('x'.repeat(10_001));
    await alice.composer.press('Enter');
    await expect(alice.page.getByRole('alert')).toBeVisible();
    await isAccessible(alice);
    await fits(alice, 320);
    await picture(alice, `offline-320-${colorScheme}`);
    await fits(alice, 1440);
    await isInLine(alice, '.standing');
    await expect(alice.online.getByText('As last heard.')).toBeVisible();
    await picture(alice, `offline-1440-${colorScheme}`);
    await alice.context.setOffline(false);
    await alice.isLive();
    await expect(alice.online.getByText('As last heard.')).toBeHidden();
  }
});
