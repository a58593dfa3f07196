// The first page comes up, and nothing complains.
import { expect, test } from '@playwright/test';

test('the entrance asks for a name, and the console is silent', async ({ page }) => {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));

  const response = await page.goto('/');

  expect(response?.status()).toBe(200);
  await expect(page.getByRole('textbox', { name: 'Your name' })).toBeVisible();
  expect(complaints).toEqual([]);
});
