import { defineConfig } from "vitest/config";

// Everything is served by the meeting server itself, under a strict Content-Security-Policy: no inline script or style,
// no data: URL, no other host.
export default defineConfig({
  base: "/",
  build: {
    outDir: "../mcu/web",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": { target: "http://127.0.0.1:8080", ws: true } } },
  test: { environment: "happy-dom", include: ["test/**/*.test.ts"] },
});
