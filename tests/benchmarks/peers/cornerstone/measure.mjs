// Serves the built page and a folder of files, opens it in Chromium and prints what it measured as JSON.
// usage: node measure.mjs DIST SERIES CHROMIUM ROUNDS
import { createReadStream, existsSync, mkdtempSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { chromium } from "playwright-core";

const [dist, series, browserPath, rounds] = process.argv.slice(2);
const files = readdirSync(series).sort();
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

const server = createServer((request, response) => {
  const path = normalize(new URL(request.url, "http://localhost").pathname);
  const number = path.match(/^\/series\/(\d+)\.dcm$/);
  const file = number ? join(series, files[Number(number[1])]) : join(dist, path === "/" ? "index.html" : path);
  if (!existsSync(file)) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    "Content-Type": TYPES[extname(file)] ?? "application/octet-stream",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
  });
  createReadStream(file).pipe(response);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));

const found = [];
for (let round = 0; round < Number(rounds); round += 1) {
  const context = await chromium.launchPersistentContext(mkdtempSync(join(tmpdir(), "peer-")), {
    executablePath: browserPath,
    headless: true,
    viewport: { width: 1100, height: 1100 },
    args: [
      "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader",
      "--enable-unsafe-swiftshader",
    ],
  });
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/?files=${files.length}`);
  await page.waitForFunction(() => window.measured !== undefined, null, { timeout: 300000 });
  found.push(await page.evaluate(() => window.measured));
  await context.close();
}
server.close();
console.log(JSON.stringify(found));
