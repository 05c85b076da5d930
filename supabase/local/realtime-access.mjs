// Who may listen and speak on a private channel: row-level security of realtime.messages decides.
//
// As hosted: a probe row of the topic is inserted, looked for (or inserted) as the caller, and
// everything is rolled back.

import { log } from "./log.mjs";
import { Refusal } from "./realtime-tokens.mjs";

const ROLLBACK = Symbol("rollback");
const DENIED = "42501";
const CANCELED = "57014";
// Classes of SQLSTATE that say nothing about the policies: the connection or the server ended.
const ENDED = /^(08|53|57|58|XX)/;

async function rolledBack(driver, work) {
  let result;
  try {
    await driver.begin(async (sql) => {
      result = await work(sql);
      throw ROLLBACK;
    });
  } catch (problem) {
    if (problem !== ROLLBACK) throw problem;
  }
  return result;
}

function unauthorized(topic) {
  const said = `You do not have permissions to read from this Channel topic: ${topic}`;
  return new Refusal("Unauthorized", said);
}

/** Say what a failed probe means, without the database's words: they may hold values. */
function refusalFor(problem, topic, wasAsked) {
  if (problem.code === CANCELED) return new Refusal("QueryCanceled", "Query was cancelled, please try again");
  if (wasAsked && problem.name === "PostgresError" && !ENDED.test(problem.code)) {
    log("warning", "a policy of realtime.messages failed", { code: problem.code });
    return unauthorized(topic);
  }
  const said = "Realtime was unable to connect to the project database";
  return new Refusal("UnableToConnectToProject", said);
}

export class Access {
  constructor(connection) {
    this.connection = connection;
  }

  /** Become the caller until the transaction ends. */
  async become(sql, { topic, claims, headers }) {
    const timeout = this.connection.timeouts.get(claims.role);
    if (timeout === undefined) throw unauthorized(topic);
    await sql`
      select
        set_config('realtime.topic', ${topic}, true),
        set_config('request.jwt.claims', ${JSON.stringify(claims)}, true),
        set_config('request.jwt.claim.sub', ${String(claims.sub ?? "")}, true),
        set_config('request.jwt.claim.role', ${claims.role}, true),
        set_config('request.headers', ${JSON.stringify(headers)}, true),
        set_config('statement_timeout', ${timeout}, true),
        set_config('role', ${claims.role}, true)`;
  }

  /** Throw a Refusal unless the caller may receive anything; else say what. */
  async assertMayReceive(caller, { presence }) {
    const { topic } = caller;
    let seen;
    let wasAsked = false;
    try {
      seen = await rolledBack(this.connection.driver, async (sql) => {
        const probes = await sql`
          insert into realtime.messages (topic, extension)
          values (${topic}, 'broadcast'), (${topic}, 'presence')
          returning id::text`;
        await this.become(sql, caller);
        wasAsked = true;
        return sql`
          select extension from realtime.messages
          where topic = ${topic} and id::text = any(${probes.map((probe) => probe.id)})`;
      });
    } catch (problem) {
      throw problem instanceof Refusal ? problem : refusalFor(problem, topic, wasAsked);
    }
    const may = new Set(seen.map((row) => row.extension));
    const found = { broadcast: may.has("broadcast"), presence: presence && may.has("presence") };
    if (!found.broadcast && !found.presence) throw unauthorized(topic);
    return found;
  }

  /** Say whether the caller may broadcast; nobody is told why not, as hosted. */
  async maySend(caller) {
    try {
      return await rolledBack(this.connection.driver, async (sql) => {
        await this.become(sql, caller);
        await sql`insert into realtime.messages (topic, extension) values (${caller.topic}, 'broadcast')`;
        return true;
      });
    } catch (problem) {
      if (problem instanceof Refusal || problem.code === DENIED) return false;
      log("warning", "a broadcast could not be authorized", { code: problem.code ?? problem.name });
      return undefined; // asked again with the next one
    }
  }
}
