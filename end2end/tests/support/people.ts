// The people of the tests: a person has a browser of their own, a guest talks by plain HTTP.
import { expect, type APIRequestContext, type BrowserContext, type Locator, type Page } from '@playwright/test';
import type { Complaints } from './complaints.ts';

/** Comes in by the plain form; the cookie stays in the context of the request. */
export async function enterByForm(request: APIRequestContext, url: string, name: string): Promise<void> {
  const answer = await request.post(`${url}/enter`, { form: { name, next: '' }, maxRedirects: 0 });
  expect(answer.status(), `${name} may enter`).toBe(303);
  expect(answer.headers()['location'], `${name} was not refused`).toBe('/r/chat');
}

/** Somebody without a page: writes by the plain forms, as fast as the server answers. */
export class Guest {
  constructor(
    readonly name: string,
    private readonly request: APIRequestContext,
    private readonly url: string,
  ) {}

  /** Makes a room, or finds the one of this name; the answer is its path. */
  async makesRoom(name: string): Promise<string> {
    const answer = await this.request.post(`${this.url}/rooms`, { form: { name }, maxRedirects: 0 });
    expect(answer.status()).toBe(303);
    const path = answer.headers()['location'] ?? '';
    expect(path).toMatch(/^\/r\/[^?]+$/);
    return path;
  }

  /** The same for many, one after the other; the answer is their paths. */
  async makesRooms(...names: string[]): Promise<string[]> {
    const paths: string[] = [];
    for (const name of names) paths.push(await this.makesRoom(name));
    return paths;
  }

  async says(room: string, ...texts: string[]): Promise<void> {
    for (const body of texts) {
      const answer = await this.request.post(`${this.url}${room}/messages`, { form: { body }, maxRedirects: 0 });
      expect(answer.status(), `"${body.slice(0, 40)}" is stored`).toBe(303);
      expect(answer.headers()['location']).toBe(room);
    }
  }
}

/** Somebody with a page, by the names that assistive technology sees. */
export class Person {
  readonly log: Locator;
  readonly messages: Locator;
  readonly bodies: Locator;
  readonly composer: Locator;
  readonly sendButton: Locator;
  readonly status: Locator;
  readonly rooms: Locator;
  readonly online: Locator;
  readonly pill: Locator;
  readonly beginning: Locator;

  constructor(
    readonly name: string,
    readonly url: string,
    readonly page: Page,
    readonly complaints: Complaints,
  ) {
    this.log = page.getByRole('log');
    this.messages = this.log.getByRole('article');
    this.bodies = this.messages.locator('.body');
    this.composer = page.getByRole('textbox', { name: 'Message', exact: true });
    this.sendButton = page.getByRole('button', { name: 'Send', exact: true });
    this.status = page.getByRole('status');
    this.rooms = page.getByRole('navigation', { name: 'Rooms' });
    this.online = page.getByRole('region', { name: 'Online' });
    this.pill = page.getByRole('button', { name: /^(Newest|\d+ new messages?)$/ });
    this.beginning = this.log.getByText('Beginning of the room');
  }

  get context(): BrowserContext {
    return this.page.context();
  }

  /** Opens a room and waits until the page lives. */
  async opens(room: string): Promise<this> {
    await this.page.goto(`${this.url}${room}`);
    return this.isLive();
  }

  async isLive(): Promise<this> {
    await expect(this.status).toHaveText('Live');
    return this;
  }

  async writes(text: string): Promise<void> {
    await this.composer.fill(text);
  }

  /** Writes and sends with Enter. */
  async says(text: string): Promise<void> {
    await this.writes(text);
    await this.composer.press('Enter');
  }

  message(text: string): Locator {
    return this.messages.filter({ hasText: text });
  }

  /** These messages are there, in this order, each once, and all of them are stored. */
  async sees(...texts: string[]): Promise<void> {
    await expect(this.bodies).toHaveText(texts);
    await expect(this.log.getByText('Sending')).toHaveCount(0);
  }

  /** The same person in another tab of the same browser; no page is open there yet. */
  async anotherTab(): Promise<Person> {
    return this.onPage(await this.context.newPage());
  }

  /** The same person on a page that their browser opened. */
  onPage(page: Page): Person {
    return new Person(this.name, this.url, page, this.complaints);
  }

  /** The page as it was loaded: another load has another. */
  async load(): Promise<number> {
    return this.page.evaluate(() => performance.timeOrigin);
  }
}

/** All show the same messages in the same order, all of them stored, and nobody waits for anything. */
export async function agree(people: Person[], texts: string[]): Promise<void> {
  const [one, ...others] = people;
  if (!one) throw new Error('nobody is there');
  for (const who of people) {
    await who.isLive();
    await expect(who.log.getByText('Sending')).toHaveCount(0);
    await expect(who.bodies).toHaveCount(texts.length);
  }
  const order = await one.bodies.allTextContents();
  expect([...order].sort()).toEqual([...texts].sort());
  for (const who of others) await who.sees(...order);
}

/** `word 1.`, `word 2.`, … */
export const numbered = (word: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${word} ${index + 1}.`);
