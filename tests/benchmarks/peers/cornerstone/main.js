// Loads the series that the query names (files=0..n-1 of /series) as Cornerstone3D's examples do, and
// leaves what it took, in milliseconds, in window.measured.
import { Enums, RenderingEngine, imageLoader, init } from "@cornerstonejs/core";
import { init as initLoader } from "@cornerstonejs/dicom-image-loader";

const STEPS = 100;
const count = Number(new URLSearchParams(location.search).get("files"));
const cores = navigator.hardwareConcurrency;

function rendered(element, act) {
  return new Promise((resolve) => {
    const start = performance.now();
    element.addEventListener(
      Enums.Events.IMAGE_RENDERED,
      () => resolve(performance.now() - start),
      { once: true },
    );
    act();
  });
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

async function main() {
  await init();
  await initLoader({ maxWebWorkers: cores });
  const element = document.getElementById("viewport");
  const engine = new RenderingEngine("peer");
  engine.enableElement({ viewportId: "stack", type: Enums.ViewportType.STACK, element });
  const viewport = engine.getViewport("stack");
  const ids = Array.from({ length: count }, (_, n) => `wadouri:${location.origin}/series/${n}.dcm`);
  const start = performance.now();
  const first = rendered(element, () => viewport.setStack(ids, Math.floor(count / 2)));
  await first;
  const firstImage = performance.now() - start;
  await Promise.all(ids.map((id) => imageLoader.loadAndCacheImage(id)));
  const whole = performance.now() - start;
  const scroll = [];
  for (let step = 0; step < STEPS; step += 1) {
    scroll.push(await rendered(element, () => viewport.setImageIdIndex((step * 7) % count)));
  }
  const windowing = [];
  for (let step = 0; step < STEPS; step += 1) {
    const voiRange = { lower: -160 - step, upper: 240 + step };
    windowing.push(
      await rendered(element, () => {
        viewport.setProperties({ voiRange });
        viewport.render();
      }),
    );
  }
  return { firstImage, whole, scroll: median(scroll), window: median(windowing) };
}

main().then(
  (found) => (window.measured = found),
  (error) => (window.measured = { error: String(error?.stack ?? error) }),
);
