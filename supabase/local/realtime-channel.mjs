// One topic that one connection has joined: its caller, what that caller may do, and until when.

import { assertLive, claimsOf, Refusal } from "./realtime-tokens.mjs";

const LONGEST_TIMER_MS = 3_600_000;

const objectOr = (value) => (value !== null && typeof value === "object" ? value : {});

export class Channel {
  isOpen = false;
  mayReceive = { broadcast: true, presence: true };
  #maySend; // unknown until the first broadcast
  #token = null;
  #claims;
  #expiry;

  constructor(socket, { topic, joinRef, payload }) {
    const config = objectOr(payload.config);
    this.socket = socket;
    this.topic = topic;
    this.name = topic.slice("realtime:".length);
    this.joinRef = joinRef;
    this.isPrivate = config.private === true;
    this.wantsAck = objectOr(config.broadcast).ack === true;
    this.wantsSelf = objectOr(config.broadcast).self === true;
    this.wantsReplay = objectOr(config.broadcast).replay !== undefined;
    this.wantsPresence = objectOr(config.presence).enabled === true;
    this.wantsChanges = Array.isArray(config.postgres_changes) && config.postgres_changes.length > 0;
  }

  get #caller() {
    return { topic: this.name, claims: this.#claims, headers: this.socket.headers };
  }

  /** Let the caller in, or throw a Refusal. */
  async open(token) {
    const { settings } = this.socket.server;
    if (this.name === "") throw new Refusal("TopicNameRequired", "You must provide a topic name");
    if (settings.private_only && !this.isPrivate) {
      throw new Refusal("PrivateOnly", "This project only allows private channels");
    }
    if (this.wantsChanges || this.wantsReplay) {
      throw new Refusal("NotServedLocally", "The local stack serves broadcasts, without postgres_changes and replay");
    }
    await this.#become(token);
    this.isOpen = true;
  }

  /** Take a new token: who may listen is decided anew. Keys and repetitions change nothing. */
  async refresh(token) {
    if (typeof token !== "string" || token.startsWith("sb_") || token === this.#token) return;
    try {
      await this.#become(token);
    } catch (problem) {
      if (!(problem instanceof Refusal)) throw problem;
      this.#end(problem.said);
    }
  }

  async #become(token) {
    const { access, config } = this.socket.server;
    const isKey = typeof token !== "string" || token.startsWith("sb_");
    const claims = isKey ? this.socket.claims : claimsOf(token, config.jwt_secret);
    assertLive(claims);
    this.#token = isKey ? null : token;
    this.#claims = claims;
    this.#maySend = undefined;
    if (this.isPrivate) {
      this.mayReceive = await access.assertMayReceive(this.#caller, { presence: this.wantsPresence });
    }
    this.#watchExpiry();
  }

  #watchExpiry() {
    clearTimeout(this.#expiry);
    if (this.#claims.exp === undefined || this.socket.isClosed) return;
    const left = Math.min(this.#claims.exp * 1000 - Date.now(), LONGEST_TIMER_MS);
    this.#expiry = setTimeout(() => {
      try {
        assertLive(this.#claims);
        this.#watchExpiry();
      } catch (problem) {
        this.#end(problem.said);
      }
    }, Math.max(left, 0));
  }

  #end(said) {
    const payload = { extension: "system", status: "error", message: said, channel: this.name };
    this.socket.reply({ joinRef: this.joinRef, topic: this.topic, event: "system", payload });
    this.socket.drop(this);
  }

  /** Pass a client's broadcast on; a refused one is met with silence, as hosted. */
  async broadcast({ ref, payload, push }) {
    if (this.isPrivate) {
      this.#maySend ??= await this.socket.server.access.maySend(this.#caller);
      if (!this.#maySend || !this.isOpen) return;
    }
    const message = push ?? { whole: JSON.stringify(payload) };
    const except = this.wantsSelf ? null : this;
    this.socket.server.rooms.publish({ isPrivate: this.isPrivate, name: this.name, message, except });
    if (this.wantsAck) this.socket.answer({ joinRef: this.joinRef, ref, topic: this.topic });
  }

  close() {
    this.isOpen = false;
    clearTimeout(this.#expiry);
  }
}
