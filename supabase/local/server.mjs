// The local API: Supabase's Auth, REST and Storage on the embedded PostgreSQL.
//
//   node server.mjs --config FILE             prepare the database, then serve until SIGTERM
//   node server.mjs --config FILE --prepare   only prepare the database
//
// FILE is JSON, written by the supervisor: database_url, host, port, publishable_key, secret_key,
// jwt_secret, schemas, max_rows, jwt_expiry, site_url, file_size_limit, storage_folder, mail_folder.

import fs from "node:fs/promises";
import { parseArgs } from "node:util";

import { log, tameConsole } from "./log.mjs";

process.env.EXPERIMENTAL_STORAGE = "1"; // read by Lite while it is being imported
tameConsole();
const { serve } = await import("@hono/node-server");
const { App } = await import("@supabase/lite");
const { attachments } = await import("./attachments.mjs");
const { during } = await import("./context.mjs");
const { ProjectConnection } = await import("./database.mjs");
const { withPlainBody } = await import("./multipart.mjs");
const { FolderMail, FolderStorage } = await import("./files.mjs");
const { withClientAddress } = await import("./signed.mjs");

const SERVED = /^\/(auth|rest|storage)\/v1(\/|$)/;
const CLOSE_MS = 5000;

function createApp(config, connection) {
  const app = new App({
    connection,
    api: { schemas: config.schemas, max_rows: config.max_rows, pg_safe_update: true },
    auth: {
      enabled: true,
      site_url: config.site_url,
      jwt_secret: config.jwt_secret,
      jwt_expiry: config.jwt_expiry,
      minimum_password_length: config.minimum_password_length,
      publishable_key: config.publishable_key,
      secret_key: config.secret_key,
    },
    storage: { enabled: true, file_size_limit: config.file_size_limit },
    db: { migrations: { enabled: false } }, // the Supabase CLI keeps the history
    studio: { enabled: false },
    options: {
      server: { admin: false, disableStudio: true, disableFallback: true },
      drivers: { email: new FolderMail(config.mail_folder) },
    },
  });
  app._storageAdapter = new FolderStorage(config.storage_folder);
  return app;
}

/** Create what Auth and Storage need; Lite reports no failure of its own, so look. */
async function prepare(app, connection) {
  await app.ensureSystemSchema();
  const afterBoot = await fs.readFile(new URL("after-boot.sql", import.meta.url), "utf8");
  await connection.driver.unsafe(afterBoot).simple();
}

function answer(app, connection, whole) {
  return async (request, env) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/healthz") {
      if (!whole()) return Response.json({ status: "starting" }, { status: 503 });
      const up = await connection.ping();
      return Response.json({ status: up ? "ok" : "no database" }, { status: up ? 200 : 503 });
    }
    if (!SERVED.test(pathname)) return Response.json({ message: "not found" }, { status: 404 });
    const peerAddress = env.incoming.socket.remoteAddress ?? null;
    const understood = await withPlainBody(request);
    const response = await during(understood, () => app.fetch(understood, { peerAddress }));
    return withClientAddress(understood, response);
  };
}

function listen(app, config, connection, whole) {
  return new Promise((resolve, reject) => {
    const options = {
      fetch: answer(app, connection, whole),
      hostname: config.host,
      port: config.port,
      // With its own Response the adapter sends Lite's Content-Length twice, which fetch refuses.
      overrideGlobalObjects: false,
    };
    const server = serve(options, () => resolve(server));
    server.once("error", reject);
  });
}

function closeOnSignal(server, connection, closers) {
  let closing = false;
  const close = async (signal) => {
    if (closing) return;
    closing = true;
    log("info", "closing", { signal });
    setTimeout(() => process.exit(1), CLOSE_MS).unref();
    for (const closer of closers) await closer();
    server.closeIdleConnections();
    await new Promise((resolve) => server.close(resolve));
    await connection.close();
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, close);
}

async function main() {
  const { values } = parseArgs({
    options: { config: { type: "string" }, prepare: { type: "boolean", default: false } },
  });
  if (!values.config) throw new Error("--config FILE is missing");
  const config = JSON.parse(await fs.readFile(values.config, "utf8"));
  const connection = new ProjectConnection({ url: config.database_url, schemas: config.schemas });
  const app = createApp(config, connection);
  await prepare(app, connection);
  if (values.prepare) {
    await connection.close();
    return;
  }
  await connection.watch();
  const closers = [];
  // Until everything is attached an upgrade would be answered like any unknown path.
  const whole = () => closers.length === attachments.length;
  const server = await listen(app, config, connection, whole);
  for (const attach of attachments) closers.push(await attach({ server, config, connection }));
  closeOnSignal(server, connection, closers);
  log("info", "serving", { host: config.host, port: config.port });
}

try {
  await main();
} catch (problem) {
  // Start-up only: no request has been served, so the message holds nobody's data.
  log("error", "cannot start", { problem: String(problem?.message ?? problem) });
  process.exit(1);
}
