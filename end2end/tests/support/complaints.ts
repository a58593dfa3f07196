// What a page complains about fails its test: console, errors, policy, requests. See docs/TESTING.md.
import type { BrowserContext, Page } from '@playwright/test';

/** What the browser says when a socket cannot be opened or breaks; a test of exactly that allows it. */
export const lostSocket = /WebSocket connection to '.*' failed|net::ERR_/;

/** Said of the WASM where no script runs, or where the machine is too busy to start it within seconds. */
const lateStart = /\.wasm was preloaded using link preload but not used/;

/** Listens to every page of a context. */
export class Complaints {
  private readonly heard: string[] = [];
  private readonly allowed: RegExp[] = [lateStart];

  constructor(context: BrowserContext) {
    context.on('page', (page) => this.listen(page));
  }

  /** From now on and in hindsight, this is what the test is about. */
  allow(...patterns: RegExp[]): void {
    this.allowed.push(...patterns);
  }

  /** What nobody allowed. */
  left(): string[] {
    return this.heard.filter((line) => !this.allowed.some((pattern) => pattern.test(line)));
  }

  private listen(page: Page): void {
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') {
        this.heard.push(`${message.type()}: ${message.text()} (${message.location().url})`);
      }
    });
    page.on('pageerror', (error) => this.heard.push(`error: ${error.stack ?? error.message}`));
    page.on('requestfailed', (request) => {
      // A page that is left takes its requests with it.
      const words = request.failure()?.errorText ?? 'failed';
      if (words !== 'net::ERR_ABORTED') this.heard.push(`request: ${request.url()}: ${words}`);
    });
    page.on('response', (response) => {
      if (response.status() >= 400) this.heard.push(`response: ${response.status()} ${response.url()}`);
    });
  }
}
