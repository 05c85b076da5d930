// @supabase/lite's connection, made to leave the project's grants alone.
//
// These are internals of an alpha: the version is pinned, and tests/process/test_local_api.py
// holds every answer that this file is responsible for.

import { PostgresConnection } from "@supabase/lite/postgres";
import { sql } from "kysely";

import { current, headersJson } from "./context.mjs";
import { asPostgrest } from "./sqlstates.mjs";

// PostgREST impersonates only roles that `authenticator` may become, with those roles' settings.
const IMPERSONATED = `
  select r.rolname as role, coalesce(r.rolconfig, '{}') as settings
  from pg_roles as r
  join pg_auth_members as m on m.roleid = r.oid
  where m.member = 'authenticator'::regrole`;

/** Times as PostgREST writes them, which every browser can parse; Lite passes on Postgres's own. */
const isoTime = (text) => text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00");
/** What is no text goes to the server as its JSON, which is refused there as PostgREST refuses it. */
const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value));
const time = (oid) => ({ to: oid, from: [oid], serialize: asText, parse: isoTime });
/** Types of which the driver would make something: false of any word, a crash of a number. */
const plain = (oid, parse) => ({ to: oid, from: [oid], serialize: asText, parse });

/** Whether a text is a JSON object or array. */
function holdsJson(text) {
  try {
    return /^[[{]/.test(text) && typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}

/** Lite hands the objects and arrays of RPC arguments over as text, which must not become a string. */
const jsonText = (value) =>
  typeof value === "string" && holdsJson(value) ? value : JSON.stringify(value);
const json = (oid) => ({ to: oid, from: [oid], serialize: jsonText, parse: JSON.parse });

export class ProjectConnection extends PostgresConnection {
  timeouts = new Map();
  generation = 0;
  pending;

  constructor({ url, schemas }) {
    super({
      url,
      postgresOptions: {
        max: 20,
        onnotice: () => {},
        types: {
          timestamp: time(1114),
          timestamptz: time(1184),
          date: plain(1082, (text) => text),
          time: plain(1083, (text) => text),
          bool: plain(16, (text) => text === "t"),
          json: json(114),
          jsonb: json(3802),
        },
        connection: {
          application_name: "local-api",
          search_path: [...schemas, "extensions"].join(", "),
          "storage.allow_delete_query": "true",
        },
      },
    });
  }

  /** Learn the impersonated roles, and forget the schema whenever SQL says that it changed. */
  async watch() {
    await this.loadRoles();
    await this.driver.listen("pgrst", async (payload) => {
      if (payload === "" || payload === "reload schema") await this.clearSchemaCache();
      if (payload === "" || payload === "reload config") await this.loadRoles();
    });
  }

  async loadRoles() {
    const rows = await this.driver.unsafe(IMPERSONATED);
    this.timeouts = new Map(
      rows.map(({ role, settings }) => [
        role,
        settings.find((s) => s.startsWith("statement_timeout="))?.split("=")[1] ?? "8s",
      ]),
    );
  }

  async clearSchemaCache() {
    this.generation += 1;
    this.pending = undefined;
    await super.clearSchemaCache();
  }

  /** Read the catalog once however many requests wait for it, and never keep a stale reading. */
  async introspect(options) {
    if (options?.useCache && this.introspection) return this.introspection;
    if (!this.pending) {
      const { generation } = this;
      this.pending = super.introspect(options).finally(() => {
        if (generation !== this.generation) this.introspection = undefined;
        this.pending = undefined;
      });
    }
    return this.pending;
  }

  /** Lite grants ALL on every table of every schema here; the migrations' grants are the truth. */
  async ensureRlsContext() {
    this.rlsState = "active";
    return true;
  }

  /** Become the caller for one transaction, in one statement, with what PostgREST tells SQL. */
  async applyJwtSessionContext(tx, vars) {
    const role = vars.auth?.role || "anon";
    const timeout = this.timeouts.get(role);
    if (timeout === undefined) {
      const text = `permission denied to set role "${role}"`;
      throw Object.assign(new Error(text), { code: "42501" });
    }
    const claims = vars.auth?.jwt && typeof vars.auth.jwt === "object" ? vars.auth.jwt : { role };
    const served = current();
    const rest = served?.pathname.startsWith("/rest/v1") ?? false;
    const readOnly = rest && (served.method === "GET" || served.method === "HEAD");
    await sql`
      select
        set_config('request.jwt.claim.sub', ${String(vars.auth?.uid ?? "")}, true),
        set_config('request.jwt.claim.role', ${role}, true),
        set_config('request.jwt.claims', ${JSON.stringify(claims)}, true),
        set_config('request.headers', ${served ? headersJson(served.request) : "{}"}, true),
        set_config('request.method', ${served?.method ?? ""}, true),
        set_config('request.path', ${rest ? served.pathname.slice("/rest/v1".length) : ""}, true),
        set_config('storage.operation', ${String(vars.storage?.operation ?? "")}, true),
        set_config('statement_timeout', ${timeout}, true),
        set_config('transaction_read_only', ${readOnly ? "on" : "off"}, true),
        set_config('role', ${role}, true)
    `.execute(tx);
  }

  /** The request's settings are there already; only the answer's are reset. */
  async applyRpcRequestGucs(tx) {
    await sql`
      select set_config('response.status', '', true), set_config('response.headers', '', true)
    `.execute(tx);
  }

  normalizeDbError(error) {
    const normal = super.normalizeDbError(error);
    return current()?.pathname.startsWith("/rest/v1") ? asPostgrest(normal) : normal;
  }
}
