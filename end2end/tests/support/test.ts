// The test of every spec: people with browsers of their own, rooms nobody else uses, servers of one's own on demand.
import { test as base, type BrowserContextOptions } from '@playwright/test';
import { Complaints } from './complaints.ts';
import { enterByForm, Guest, Person } from './people.ts';
import { Stage } from './programs.ts';

export { expect } from '@playwright/test';
export { lostSocket } from './complaints.ts';
export type { Guest, Person } from './people.ts';

/** The three instances that share a database and a Redis. */
export const cluster: readonly string[] = (process.env.E2E_CLUSTER ?? '').split(',');

export const [first = '', second = '', third = ''] = cluster;

/** Ports for the servers of single tests begin so far above those of the run, and each worker has so many. */
const ownPortsFrom = 100;
const portsPerWorker = 300;
let nextOwnPort = 0;

export interface Fixtures {
  /** Somebody at the door: a browser with no session. */
  stranger: (options?: { url?: string } & BrowserContextOptions) => Promise<Person>;
  /** Somebody who has entered; no page is open yet. */
  person: (name: string, options?: { url?: string } & BrowserContextOptions) => Promise<Person>;
  /** Somebody who has entered and talks by plain forms. */
  guest: (name: string, url?: string) => Promise<Guest>;
  /** Makes a room that only this test knows; the answer is its path. */
  newRoom: (url?: string) => Promise<string>;
  /** Servers of this test's own, to be stopped and killed. */
  stage: Stage;
}

export const test = base.extend<Fixtures>({
  // The stage is named so that it ends later: a page whose server goes first complains.
  stranger: async ({ browser, baseURL, stage: _stage }, use) => {
    const people: Person[] = [];
    await use(async ({ url = baseURL ?? '', ...options } = {}) => {
      const context = await browser.newContext({ ...options, baseURL: url });
      const complaints = new Complaints(context);
      // A browser without scripts reports those of the page as forbidden.
      if (options.javaScriptEnabled === false) complaints.allow(/\.js: csp$/);
      const person = new Person('somebody', url, await context.newPage(), complaints);
      people.push(person);
      return person;
    });
    const complaints = people.flatMap((person) => person.complaints.left());
    await Promise.all(people.map((person) => person.context.close()));
    base.expect(complaints, 'no page complains').toEqual([]);
  },

  person: async ({ stranger }, use) => {
    await use(async (name, options) => {
      const somebody = await stranger(options);
      await enterByForm(somebody.context.request, somebody.url, name);
      return new Person(name, somebody.url, somebody.page, somebody.complaints);
    });
  },

  guest: async ({ playwright, baseURL }, use) => {
    const contexts: { dispose(): Promise<void> }[] = [];
    await use(async (name, url = baseURL ?? '') => {
      const request = await playwright.request.newContext();
      contexts.push(request);
      await enterByForm(request, url, name);
      return new Guest(name, request, url);
    });
    for (const context of contexts) await context.dispose();
  },

  newRoom: async ({ guest }, use, testInfo) => {
    let made = 0;
    await use(async (url) => {
      const host = await guest('Host', url);
      made += 1;
      return host.makesRoom(`${testInfo.testId.slice(-8)}-${testInfo.repeatEachIndex}-${made}`);
    });
  },

  stage: async ({}, use, testInfo) => {
    const from = Number(process.env.E2E_PORT) + ownPortsFrom + testInfo.parallelIndex * portsPerWorker;
    const stage = new Stage(from + nextOwnPort);
    nextOwnPort = (nextOwnPort + 10) % portsPerWorker;
    await use(stage);
    await stage.end();
  },
});
