// Tertulia in a real browser: one instance alone at `baseURL`, and three instances that share a database and a Redis at
// the addresses in `E2E_CLUSTER`. `bin/test e2e` builds the release and chooses the ports; see docs/TESTING.md.
import { defineConfig, devices } from '@playwright/test';

/** The first of four free neighbouring ports: the lone instance, then the three of the cluster. */
const port = Number(process.env.E2E_PORT ?? 4100);

// The global setup and the workers read them, however they were started.
process.env.E2E_PORT = String(port);
process.env.E2E_CLUSTER = [1, 2, 3].map((step) => `http://127.0.0.1:${port + step}`).join(',');

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
  globalSetup: './tests/support/everybody.ts',
  // A flaky test is a fault of the product: it is not run again until it passes.
  retries: 0,
  workers: 2,
  fullyParallel: true,
  forbidOnly: process.env.CI === 'true',
  // A test with servers of its own that die and come back takes 10 s; the rest is for a busy machine.
  timeout: 60_000,
  expect: { timeout: 10_000 },
  globalTimeout: process.env.CI === 'true' ? 25 * 60_000 : 0,
  reporter: [
    ['list'],
    ...(process.env.E2E_REPORT ? [['json', { outputFile: process.env.E2E_REPORT }] as const] : []),
  ],
  use: {
    baseURL: `http://127.0.0.1:${port}`,
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
});
