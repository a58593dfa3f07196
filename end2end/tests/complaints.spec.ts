// The guard of all tests: what a page complains about is heard.
import { expect, test } from './support/test.ts';

test('errors, warnings, broken policies and failed requests are heard', async ({ stranger }) => {
  const alice = await stranger();
  await alice.page.goto('/');
  expect(alice.complaints.left()).toEqual([]);

  await alice.page.evaluate(async () => {
    console.warn('a warning');
    document.body.insertAdjacentHTML('beforeend', '<p style="color: red">');
    await fetch('/there-is-no-such-file');
    setTimeout(() => {
      throw new Error('nobody catches this');
    });
  });

  const wanted = [/warning: a warning/, /Content Security Policy/, /response: 404/, /nobody catches this/];
  for (const pattern of wanted) {
    await expect.poll(() => alice.complaints.left().some((line) => pattern.test(line)), String(pattern)).toBe(true);
  }
  alice.complaints.allow(...wanted, /404/);
  expect(alice.complaints.left()).toEqual([]);
});
