// Broadcasts of the database: what realtime.send stored reaches the rooms, in the order of commits.

import fs from "node:fs/promises";

import { log } from "./log.mjs";

const CHANNEL = "realtime_messages";
const BATCH = 20; // messages may be megabytes each
const HOUR_MS = 3_600_000;

const describe = (problem) => ({ code: problem?.code ?? problem?.name });

export class DatabaseBroadcasts {
  #driver;
  #rooms;
  #gap;
  #limit;
  #pending = [];
  #isBusy = false;
  #isListening = false;
  #pruning;
  #subscription;

  /** `gap` is called when messages may have been missed. */
  constructor({ connection, rooms, gap, limit }) {
    this.#driver = connection.driver;
    this.#rooms = rooms;
    this.#gap = gap;
    this.#limit = limit;
  }

  async open() {
    const setUp = await fs.readFile(new URL("realtime.sql", import.meta.url), "utf8");
    await this.#driver.unsafe(setUp).simple();
    // postgres.js listens again by itself after a lost connection, and says so.
    this.#subscription = await this.#driver.listen(
      CHANNEL,
      (id) => this.#note(id),
      () => this.#listening(),
    );
    this.#pruning = setInterval(() => this.prune(), HOUR_MS).unref();
    await this.prune();
  }

  async close() {
    clearInterval(this.#pruning);
    // The connection may be away at this moment, and ends with the process anyway.
    await this.#subscription?.unlisten().catch(() => {});
  }

  /** Delete what hosted projects drop with its partition: messages older than 72 hours. */
  async prune() {
    try {
      await this.#driver`
        delete from realtime.messages
        where inserted_at < (now() at time zone 'utc') - interval '72 hours'`;
    } catch (problem) {
      log("warning", "old messages were not deleted", describe(problem));
    }
  }

  #listening() {
    if (this.#isListening) {
      log("warning", "realtime lost its database connection for a while");
      this.#gap();
    }
    this.#isListening = true;
  }

  #note(id) {
    if (this.#rooms.isEmpty) return;
    this.#pending.push(id);
    if (!this.#isBusy) this.#drain();
  }

  async #drain() {
    this.#isBusy = true;
    try {
      while (this.#pending.length > 0) await this.#deliver(this.#pending.splice(0, BATCH));
    } catch (problem) {
      log("warning", "messages could not be read", describe(problem));
      this.#pending = [];
      this.#gap();
    } finally {
      this.#isBusy = false;
    }
  }

  async #deliver(ids) {
    const rows = await this.#driver`
      select
        id::text, topic, event, coalesce(private, false) as is_private,
        payload::text as body, binary_payload as bytes
      from realtime.messages
      where
        id = any(${ids}::uuid[])
        and coalesce(octet_length(payload::text), octet_length(binary_payload)) <= ${this.#limit}
        and coalesce(jsonb_typeof(payload), 'object') = 'object'`;
    const found = new Map(rows.map((row) => [row.id, row]));
    for (const id of ids) {
      const row = found.get(id);
      if (row) this.#publish(row);
      else log("warning", "a message was not sent: too large, not an object, or deleted at once");
    }
  }

  #publish({ id, topic, event, is_private: isPrivate, body, bytes }) {
    const meta = { id };
    const message =
      body === null
        ? { event, body: bytes, isJson: false, meta }
        : { whole: `{"event":${JSON.stringify(event)},"payload":${body},"type":"broadcast","meta":${JSON.stringify(meta)}}` };
    this.#rooms.publish({ isPrivate, name: topic, message });
  }
}
