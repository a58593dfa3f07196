// The plain doors as a browser opens them by itself: its EventSource and its WebSocket, without a line of ours.
import { expect, lostSocket, test, type Person } from './support/test.ts';

/** Says something in the lobby, as any program would. */
async function publish(url: string, text: string): Promise<void> {
  const answer = await fetch(`${url}/publish/chat`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: text });
  expect(answer.status, text).toBe(201);
}

/** What a page has heard so far. */
const heard = (who: Person): Promise<string[]> => who.page.evaluate(() => (window as unknown as { heard: string[] }).heard);

test("a browser's EventSource misses nothing while Redis and its server restart", async ({ stage, stranger }) => {
  const { instances, redis } = await stage.cluster(2, '--rate-limits', 'off');
  const [one, two] = instances;
  if (!one || !two) throw new Error('there are two');
  const reader = await stranger({ url: two.url });
  reader.complaints.allow(lostSocket);
  await reader.page.goto('/');
  await reader.page.evaluate(() => {
    const heard: string[] = [];
    const source = new EventSource('/events/chat');
    source.addEventListener('message', ({ data }: MessageEvent<string>) => heard.push((JSON.parse(data) as { text: string }).text));
    Object.assign(window, { heard });
    return new Promise((resolve) => (source.onopen = resolve));
  });
  await publish(one.url, 'over Redis');
  await expect.poll(() => heard(reader)).toEqual(['over Redis']);
  await redis.stop();
  await publish(one.url, 'without Redis');
  await expect.poll(() => heard(reader)).toEqual(['over Redis', 'without Redis']);
  await redis.start();
  await two.stop('SIGKILL');
  await publish(one.url, 'while the server was away');
  await two.start();
  await publish(one.url, 'at last');
  const all = ['over Redis', 'without Redis', 'while the server was away', 'at last'];
  await expect.poll(() => heard(reader), { timeout: 30_000 }).toEqual(all);
});

test("a browser's WebSocket talks in lines, to whoever is in the room", async ({ person, newRoom }) => {
  const room = await newRoom();
  const [alice, bob] = [await person('Alice'), await person('Bob')];
  await alice.opens(room);
  await bob.page.goto(room);
  const said = await bob.page.evaluate((room) => {
    const lines: string[] = [];
    const socket = new WebSocket(`ws://${location.host}/ws/${room}`);
    socket.onopen = (): void => socket.send('from a bare socket');
    return new Promise<string[]>((resolve) => {
      socket.onmessage = ({ data }: MessageEvent<string>): void => {
        lines.push(data);
        if (data.endsWith('from a bare socket')) resolve(lines);
      };
    });
  }, room.replace('/r/', ''));
  expect(said.at(-1)).toBe(`[${room.replace('/r/', '')}] from a bare socket`);
  await alice.sees('from a bare socket');
});
