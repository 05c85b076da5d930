// Which channels are open on which topic. A public and a private topic of one name are two.

import { broadcastWriter } from "./realtime-frames.mjs";

const key = (isPrivate, name) => `${isPrivate ? "private" : "public"}:${name}`;

export class Rooms {
  #rooms = new Map();

  get isEmpty() {
    return this.#rooms.size === 0;
  }

  enter(channel) {
    const room = key(channel.isPrivate, channel.name);
    if (!this.#rooms.has(room)) this.#rooms.set(room, new Set());
    this.#rooms.get(room).add(channel);
  }

  leave(channel) {
    const room = key(channel.isPrivate, channel.name);
    const channels = this.#rooms.get(room);
    channels?.delete(channel);
    if (channels?.size === 0) this.#rooms.delete(room);
  }

  /** Send a message to everybody who may receive it, except the one channel it came from. */
  publish({ isPrivate, name, message, except }) {
    const channels = this.#rooms.get(key(isPrivate, name));
    if (!channels) return;
    const write = broadcastWriter(`realtime:${name}`, message);
    for (const channel of [...channels]) {
      if (channel === except || !channel.mayReceive.broadcast) continue;
      const text = write(channel.socket.vsn);
      if (text !== null) channel.socket.send(text);
    }
  }
}
