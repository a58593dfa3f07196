// Which parts of the program a page fetches: a release keeps the pages that few open in WASM files of their own.
import type { Page } from '@playwright/test';

/** The names of the WASM files that the page asks for from now on, in that order; a preload counts with its use. */
export function partsOf(page: Page): string[] {
  const parts: string[] = [];
  page.on('request', (request) => {
    const name = /\/pkg\/\w+\/(\w+)\.wasm$/.exec(request.url())?.[1];
    if (name !== undefined && !parts.includes(name)) parts.push(name);
  });
  return parts;
}
