import preact from "@preact/preset-vite";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { licenses } from "./scripts/licenses.js";
import { samples } from "./scripts/samples.js";

// The gateway serves dist/ at `/`, its own calls beside it; `npm run dev` passes those on to a gateway that runs.
const gateway = process.env.GATEWAY ?? "http://127.0.0.1:8000";
const passedOn = ["/v1", "/session", "/docs", "/openapi.json", "/health"];

export default defineConfig({
  plugins: [
    preact(),
    samples(fileURLToPath(new URL("../../samples", import.meta.url))),
    licenses(fileURLToPath(new URL(".", import.meta.url))),
  ],
  resolve: {
    alias: [
      {
        find: /^numcodecs\/(blosc|lz4|zstd)$/,
        replacement: fileURLToPath(new URL("scripts/no-codec.js", import.meta.url)),
      },
    ],
  },
  build: {
    outDir: "../src/gateway/web/dist",
    emptyOutDir: true,
    target: "es2022",
    // A picture in the page's code would be a data: address; the policy allows them, but files are cached.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4000,
    modulePreload: { polyfill: false },
  },
  server: { proxy: Object.fromEntries(passedOn.map((path) => [path, gateway])) },
});
