// src/ -> dist/t.js, the core, and dist/auto.js, what it loads on demand: minified, the same bytes on every machine.
import { build } from "esbuild";

await build({
  entryPoints: { t: "src/index.ts", auto: "src/auto.ts" },
  outdir: "dist",
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2020",
  charset: "utf8",
  banner: { js: "/* Tributary. Apache-2.0 */" },
});
