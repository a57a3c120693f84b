// Opens a page in Chromium at the URL: `node SCRIPT URL EXECUTABLE LIBRARIES …`.

import { chromium } from "playwright-core";

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

export async function withPage(use) {
  const [url, executablePath, libraries, ...rest] = process.argv.slice(2);
  const env = libraries ? { ...process.env, LD_LIBRARY_PATH: libraries } : process.env;
  // The user data folder is new and empty.
  const browser = await chromium.launch({ executablePath, args: FLAGS, env });
  try {
    const page = await browser.newPage({ viewport: { width: 1200, height: 980 } });
    page.setDefaultTimeout(20_000);
    await use(page, url, rest);
  } finally {
    await browser.close();
  }
}
