import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const packaged = (file) => fileURLToPath(new URL(`node_modules/${file}`, import.meta.url));

// The loader of Cornerstone3D starts a module worker and carries its codecs as WebAssembly; a library
// beneath it wants two modules of Node.js, for which npm has stand-ins.
export default defineConfig({
  assetsInclude: ["**/*.wasm"],
  worker: { format: "es" },
  resolve: { alias: { events: packaged("events/events.js"), url: packaged("url/url.js") } },
  build: { target: "esnext", chunkSizeWarningLimit: 20000 },
});
