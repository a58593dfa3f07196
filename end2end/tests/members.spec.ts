// Who is in the room: a list with a count, quiet lines for who comes and goes, no flicker on a reload.
import { expect, first, lostSocket, second, test } from './support/test.ts';

test('who comes is listed and noted, on every instance', async ({ person, newRoom }) => {
  const room = await newRoom(first);
  const alice = await person('Alice', { url: first });
  await alice.opens(room);
  await expect(alice.online.getByRole('listitem')).toHaveText([/Alice/]);

  const bob = await person('Bob', { url: second });
  await bob.opens(room);

  await expect(alice.online.getByRole('listitem').filter({ hasText: 'Bob' })).toHaveCount(1);
  await expect(alice.online.getByRole('heading', { name: 'Online' })).toHaveText(/2/);
  await expect(alice.log.getByText('Bob joined')).toHaveCount(1);
  await expect(bob.online.getByRole('listitem')).toHaveCount(2);
});

test('who closes the page is gone after the grace, with one line', async ({ person, newRoom }) => {
  const room = await newRoom(first);
  const alice = await person('Alice', { url: first });
  const bob = await person('Bob', { url: second });
  await alice.opens(room);
  await bob.opens(room);
  // Who comes and goes without a word leaves no line at all.
  await expect(alice.log.getByText('Bob joined')).toHaveCount(1);
  await bob.says('Adéu');
  await alice.sees('Adéu');

  await bob.page.close();

  await expect(alice.log.getByText('Bob left')).toHaveCount(1);
  await expect(alice.online.getByRole('listitem')).toHaveText([/Alice/]);
  await expect(alice.online.getByRole('heading', { name: 'Online' })).toHaveText(/1/);
});

test('two tabs are one person, who leaves with the last', async ({ person, newRoom }) => {
  const room = await newRoom();
  const [alice, bob] = await Promise.all([person('Alice'), person('Bob')]);
  await alice.opens(room);
  await bob.opens(room);
  const other = await bob.context.newPage();
  await other.goto(room);
  await expect(other.getByRole('status')).toHaveText('Live');
  await expect(alice.online.getByRole('listitem')).toHaveCount(2);
  await bob.page.close();
  await other.getByRole('textbox', { name: 'Message' }).fill('still here');
  await other.getByRole('textbox', { name: 'Message' }).press('Enter');
  await alice.sees('still here');

  await other.close();
  await expect(alice.log.getByText('Bob left')).toHaveCount(1);
  await expect(alice.log.getByText('Bob joined')).toHaveCount(1);
});

test('a reload is neither a leave nor a join', async ({ person, stage }) => {
  // Longer than a reload takes on a busy machine, shorter than a test.
  const { url } = await stage.alone('--presence-grace-seconds', '6');
  const [alice, bob, carol] = [await person('Alice', { url }), await person('Bob', { url }), await person('Carol', { url })];
  for (const who of [alice, bob, carol]) await who.opens('/r/chat');
  await expect(alice.log.getByText('Bob and Carol joined')).toHaveCount(1);
  await carol.says('I must go');
  await alice.sees('I must go');

  await bob.page.reload();
  await bob.isLive();
  // She leaves after Bob's reload: when her line is there, his would be.
  await carol.page.close();

  await expect(alice.log.getByText('Carol left', { exact: true })).toHaveCount(1);
  await expect(alice.log.getByText(/Bob/), 'nothing more was said of Bob').toHaveCount(1);
  await expect(alice.online.getByRole('listitem')).toHaveCount(2);
});

test('after a lone server was restarted nobody is said to have joined who was there before', async ({ person, stage }) => {
  const server = await stage.alone();
  const [alice, bob] = [await person('Alice', { url: server.url }), await person('Bob', { url: server.url })];
  for (const who of [alice, bob]) {
    who.complaints.allow(lostSocket);
    await who.opens('/r/chat');
  }
  // Lines of neighbours fold into one; a message keeps them apart.
  await bob.says('before');
  await alice.sees('before');
  await expect(alice.log.getByText('Bob joined')).toHaveCount(1);

  await server.stop('SIGKILL');
  for (const who of [alice, bob]) await expect(who.status).not.toHaveText('Live');
  await server.start();
  for (const who of [alice, bob]) await who.isLive();
  await expect(alice.online.getByRole('listitem')).toHaveText([/Alice/, /Bob/]);

  const carol = await person('Carol', { url: server.url });
  await carol.opens('/r/chat');
  await expect(alice.log.getByText('Carol joined')).toHaveCount(1);
  await expect(alice.log.getByText(/joined/)).toHaveCount(2);
});

test('nor who reloads the page after a restart, before anything else told them of it', async ({ person, stage }) => {
  const server = await stage.alone();
  const [alice, bob] = [await person('Alice', { url: server.url }), await person('Bob', { url: server.url })];
  alice.complaints.allow(lostSocket);
  for (const who of [alice, bob]) await who.opens('/r/chat');
  await bob.says('before');
  await alice.sees('before');
  await expect(alice.log.getByText('Bob joined')).toHaveCount(1);

  // His page does not come back by itself: he does.
  await bob.page.goto('about:blank');
  await server.stop('SIGKILL');
  await expect(alice.status).not.toHaveText('Live');
  await server.start();
  await alice.isLive();
  await expect(alice.online.getByRole('listitem')).toHaveText([/Alice/]);
  await bob.opens('/r/chat');
  await expect(alice.online.getByRole('listitem')).toHaveText([/Alice/, /Bob/]);

  const carol = await person('Carol', { url: server.url });
  await carol.opens('/r/chat');
  await expect(alice.log.getByText('Carol joined')).toHaveCount(1);
  await expect(alice.log.getByText(/\bBob (joined|left|and)/), 'of Bob there is the line from before').toHaveCount(1);
});
