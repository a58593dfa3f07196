// Tertulia in a real browser: one instance alone at `baseURL`, and three instances that share a database and a Redis at
// the addresses in `E2E_CLUSTER`. `bin/test e2e` builds the release and chooses the ports; see docs/TESTING.md.
import { defineConfig, devices } from '@playwright/test';

/** The first of four free neighbouring ports: the lone instance, then the three of the cluster. */
const port = Number(process.env.E2E_PORT ?? 4100);
const clusterPorts = [port + 1, port + 2, port + 3];

/** What a shell of the project's root runs; the files that the servers keep are made afresh each time. */
const server = process.env.E2E_SERVER ?? 'target/release/tertulia';
const data = 'target/e2e';

/** A cold start migrates a database; anything slower is a fault. */
const startTimeoutMs = 60_000;
/** An instance drains for at most 15 s, Redis follows. */
const stopTimeoutMs = 25_000;

const address = (number: number): string => `http://127.0.0.1:${number}`;
// Workers read it, so that a test can pick two instances: process.env.E2E_CLUSTER!.split(',').
process.env.E2E_CLUSTER = clusterPorts.map(address).join(',');

const headless = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const root = process.getuid?.() === 0;

export default defineConfig({
  testDir: 'tests',
  outputDir: 'test-results',
  // A flaky test is a fault of the product: it is not run again until it passes.
  retries: 0,
  workers: 2,
  forbidOnly: process.env.CI === 'true',
  timeout: 30_000,
  expect: { timeout: 10_000 },
  globalTimeout: process.env.CI === 'true' ? 25 * 60_000 : 0,
  reporter: [
    ['list'],
    ...(process.env.E2E_REPORT ? [['json', { outputFile: process.env.E2E_REPORT }] as const] : []),
  ],
  use: {
    baseURL: address(port),
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    // Playwright records video only with a program of its own, which is not here.
    video: 'off',
    locale: 'en-GB',
    timezoneId: 'UTC',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      // Chromium's sandbox refuses to run as root.
      args: root ? [...headless, '--no-sandbox'] : headless,
    },
  },
  projects: [{ name: 'chromium', use: { ...devices['Desktop Chrome'] } }],
  webServer: [
    {
      name: 'alone',
      command: `rm -rf ${data}/alone && exec "${server}" serve --port ${port} --data ${data}/alone`,
      cwd: '..',
      url: `${address(port)}/readyz`,
      timeout: startTimeoutMs,
      gracefulShutdown: { signal: 'SIGTERM', timeout: stopTimeoutMs },
      stdout: 'pipe',
    },
    {
      name: 'cluster',
      // The instances start one after the other, so the last one's readiness is everybody's.
      command: `rm -rf ${data}/cluster && exec bin/cluster --no-build --ports ${clusterPorts.join(',')} --data ${data}/cluster`,
      cwd: '..',
      url: `${address(port + 3)}/readyz`,
      timeout: startTimeoutMs,
      gracefulShutdown: { signal: 'SIGTERM', timeout: stopTimeoutMs },
      stdout: 'pipe',
    },
  ],
});
