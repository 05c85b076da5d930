// Unpacks the browser that @sparticuz/chromium carries, its libraries and its fonts, beside it.
//
// Only the package's archives are used, none of its code: its code unpacks into the shared temporary
// folder, where another user's file would be believed.

import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createBrotliDecompress } from "node:zlib";
import { extract } from "tar-fs";

const modules = fileURLToPath(new URL("node_modules", import.meta.url));
const packed = join(modules, "@sparticuz", "chromium", "bin");
const home = join(modules, ".chromium");
const fresh = `${home}.new`;

const open = (name) => [createReadStream(join(packed, name)), createBrotliDecompress()];

await rm(fresh, { recursive: true, force: true });
await mkdir(fresh, { recursive: true });
await Promise.all([
  pipeline(...open("chromium.br"), createWriteStream(join(fresh, "chromium"), { mode: 0o755 })),
  pipeline(...open("al2023.tar.br"), extract(fresh, { chown: false })),
  pipeline(...open("fonts.tar.br"), extract(fresh, { chown: false })),
]);
// The packed configuration names folders of the place it was made for.
await writeFile(
  join(fresh, "fonts.conf"),
  `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<dir>${join(home, "fonts")}</dir><cachedir>${join(home, "cache")}</cachedir></fontconfig>`,
);
await rm(home, { recursive: true, force: true });
await rename(fresh, home);
