// One WebSocket: its frames in their order, its channels, its limits.

import { log } from "./log.mjs";
import { Channel } from "./realtime-channel.mjs";
import { decode, encode, Malformed } from "./realtime-frames.mjs";
import { Refusal } from "./realtime-tokens.mjs";

// Codes of RFC 6455 and the IANA registry that the clients reconnect after.
export const CLOSE = { idle: 1000, unreadable: 1003, tooMuch: 1008, restart: 1012 };
const OPEN = 1; // WebSocket.OPEN
const TOO_MANY_JOINS = "ClientJoinRateLimitReached: Too many joins per second";

export class Socket {
  isClosed = false;
  heard = Date.now();
  #channels = new Map();
  #waiting = 0;
  #last = Promise.resolve();
  #joins = [];

  constructor(ws, { server, vsn, claims, headers }) {
    Object.assign(this, { ws, server, vsn, claims, headers });
    ws.on("message", (bytes, isBinary) => this.#take(bytes, isBinary));
    ws.on("ping", () => this.#hear());
    ws.on("error", (problem) => log("info", "a realtime connection failed", { code: problem.code }));
    ws.on("close", () => this.#closed());
  }

  // Sending -----------------------------------------------------------------------------------

  /** Send text or bytes; a client that does not read is cut off rather than waited for. */
  send(data) {
    if (this.isClosed || this.ws.readyState !== OPEN) return;
    if (this.ws.bufferedAmount > this.server.settings.buffer_bytes) {
      log("warning", "a realtime client reads too slowly and is cut off");
      this.ws.terminate();
      return;
    }
    this.ws.send(data);
  }

  reply(frame) {
    this.send(encode(this.vsn, frame));
  }

  /** Answer a push: with a reason when it is refused. */
  answer({ joinRef, ref, topic, reason, response }) {
    const refused = reason !== undefined;
    const payload = { status: refused ? "error" : "ok", response: refused ? { reason } : (response ?? {}) };
    this.reply({ joinRef, ref, topic, event: "phx_reply", payload });
  }

  close(code, why) {
    this.ws.close(code, why);
    // A client that is gone answers no close frame.
    setTimeout(() => this.ws.terminate(), this.server.settings.close_ms).unref();
  }

  // Receiving ---------------------------------------------------------------------------------

  #hear() {
    this.heard = Date.now();
  }

  #take(bytes, isBinary) {
    this.#hear();
    if (this.isClosed || this.ws.readyState !== OPEN) return;
    let frame;
    try {
      frame = decode(this.vsn, bytes, isBinary);
    } catch (problem) {
      if (!(problem instanceof Malformed)) log("error", "a frame could not be read", { name: problem.name });
      this.close(CLOSE.unreadable, "malformed frame");
      return;
    }
    if (frame.topic === "phoenix") {
      if (frame.event === "heartbeat") this.answer(frame);
      return;
    }
    this.#waiting += 1;
    if (this.#waiting > this.server.settings.waiting_frames) {
      this.close(CLOSE.tooMuch, "too many messages");
      return;
    }
    // One after the other: a broadcast that follows its join must find the channel open.
    this.#last = this.#last.then(() => this.#handle(frame, bytes.length));
  }

  async #handle(frame, size) {
    try {
      if (this.isClosed) return;
      if (frame.event === "phx_join") await this.#join(frame);
      else await this.#push(frame, size);
    } catch (problem) {
      log("error", "a frame could not be handled", { name: problem?.code ?? problem?.name });
      this.answer({ ...frame, reason: "UnknownErrorOnChannel" });
    } finally {
      this.#waiting -= 1;
    }
  }

  async #push(frame, size) {
    const channel = this.#channels.get(frame.topic);
    const isStale = channel && frame.joinRef !== null && frame.joinRef !== channel.joinRef;
    if (frame.event === "phx_leave") {
      this.answer(frame);
      if (channel && !isStale) this.drop(channel);
    } else if (!channel) {
      this.answer({ ...frame, reason: "unmatched topic" });
    } else if (isStale) {
      // It was meant for an earlier join of the topic.
    } else if (frame.event === "access_token") {
      await channel.refresh(frame.payload.access_token);
    } else if (frame.event === "broadcast") {
      if (size <= this.server.settings.message_bytes) await channel.broadcast(frame);
      else if (channel.wantsAck) this.answer({ ...frame, reason: "payload_size_exceeded" });
    } else if (frame.event === "presence") {
      this.answer({ ...frame, reason: "NotServedLocally: The local stack serves no presence" });
    }
  }

  // Channels ----------------------------------------------------------------------------------

  /** Say why there is no room for another join, if there is none. */
  #joinLimit() {
    const { joins_per_second: perSecond, channels } = this.server.settings;
    const now = Date.now();
    this.#joins = this.#joins.filter((at) => at > now - 1000);
    this.#joins.push(now);
    if (this.#joins.length > perSecond) return TOO_MANY_JOINS;
    return this.#channels.size >= channels ? "ChannelRateLimitReached: Too many channels" : undefined;
  }

  async #join(frame) {
    if (!frame.topic.startsWith("realtime:")) {
      this.answer({ ...frame, reason: "unmatched topic" });
      return;
    }
    const earlier = this.#channels.get(frame.topic);
    if (earlier) this.drop(earlier);
    const reason = this.#joinLimit();
    if (reason !== undefined) {
      this.answer({ ...frame, reason });
      if (reason === TOO_MANY_JOINS) this.close(CLOSE.tooMuch, "too many joins");
      return;
    }
    const channel = new Channel(this, frame);
    try {
      await channel.open(frame.payload.access_token);
    } catch (problem) {
      channel.close();
      if (!(problem instanceof Refusal)) throw problem;
      this.answer({ ...frame, reason: problem.message });
      return;
    }
    if (this.isClosed) {
      channel.close(); // while the database was asked
      return;
    }
    this.#channels.set(channel.topic, channel);
    this.server.rooms.enter(channel);
    this.answer({ ...frame, response: { postgres_changes: [] } });
    if (channel.wantsPresence) {
      const { joinRef, topic } = channel;
      this.reply({ joinRef, topic, event: "presence_state", payload: {} });
    }
  }

  /** Close a channel and tell the client. */
  drop(channel) {
    this.#forget(channel);
    const { joinRef, topic } = channel;
    this.reply({ joinRef, ref: joinRef, topic, event: "phx_close" });
  }

  #forget(channel) {
    channel.close();
    this.server.rooms.leave(channel);
    if (this.#channels.get(channel.topic) === channel) this.#channels.delete(channel.topic);
  }

  #closed() {
    this.isClosed = true;
    for (const channel of [...this.#channels.values()]) this.#forget(channel);
    this.server.sockets.delete(this);
  }
}
