// What all tests share: one instance alone, and three that share a database and a Redis. Playwright calls it once.
import { Stage } from './programs.ts';

/** Shorter than the default of 12 s, so that a test sees somebody leave; a reload takes less. */
const graceSeconds = '2';

export default async function everybody(): Promise<() => Promise<void>> {
  const port = Number(process.env.E2E_PORT);
  const stage = new Stage(port);
  try {
    const alone = await stage.alone('--presence-grace-seconds', graceSeconds);
    const { instances } = await stage.cluster(3, '--presence-grace-seconds', graceSeconds);
    const ports = [alone, ...instances].map((instance) => instance.port);
    const wanted = [0, 1, 2, 3].map((step) => port + step);
    if (ports.join() !== wanted.join()) throw new Error(`the ports ${wanted.join(', ')} are not all free`);
  } catch (fault) {
    await stage.end();
    throw fault;
  }
  return () => stage.end();
}
