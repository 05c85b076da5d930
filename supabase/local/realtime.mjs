// Supabase's Realtime on the local stack: broadcasts over WebSockets, behind row-level security.
//
// What it serves and what it leaves out is in docs/realtime.md. Facts about the hosted one, which
// this follows in its words and its order: github.com/supabase/realtime.

import { STATUS_CODES } from "node:http";

import { WebSocketServer } from "ws";

import { log } from "./log.mjs";
import { Access } from "./realtime-access.mjs";
import { DatabaseBroadcasts } from "./realtime-database.mjs";
import { VERSIONS } from "./realtime-frames.mjs";
import { Rooms } from "./realtime-rooms.mjs";
import { CLOSE, Socket } from "./realtime-socket.mjs";
import { claimsOfKey, Refusal } from "./realtime-tokens.mjs";

const PATH = "/realtime/v1/websocket";
const FRAME_BYTES = 16_384; // what a frame has beside its payload, a token included
const SETTINGS = {
  private_only: false,
  message_bytes: 3_000_000, // hosted: 3000 KB
  buffer_bytes: 16_000_000,
  connections: 1000,
  channels: 100, // per connection, as hosted
  joins_per_second: 100, // per connection
  waiting_frames: 1000,
  idle_ms: 60_000, // clients send a heartbeat every 25 s
  close_ms: 1000,
};

function refuse(tcp, status, message) {
  const body = JSON.stringify({ message });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  tcp.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

/** Only x- headers reach policies, as hosted. */
function policyHeaders(request) {
  const all = Object.entries(request.headers);
  return Object.fromEntries(all.filter(([name]) => name.startsWith("x-")));
}

/** Who connects and how, or a status and a message why not. */
function introduced(request, config) {
  let url;
  try {
    url = new URL(request.url, "http://local");
  } catch {
    return { status: 400, message: "Bad request" };
  }
  if (url.pathname !== PATH) return { status: 404, message: "not found" };
  const vsn = url.searchParams.get("vsn") ?? VERSIONS[0];
  if (!VERSIONS.includes(vsn)) return { status: 400, message: "Unsupported protocol version" };
  const key = request.headers["x-api-key"] ?? request.headers.apikey ?? url.searchParams.get("apikey");
  if (!key) return { status: 401, message: "No API key found in request" };
  try {
    return { vsn, claims: claimsOfKey(key, config), headers: policyHeaders(request) };
  } catch (problem) {
    if (!(problem instanceof Refusal)) throw problem;
    return { status: 401, message: "Invalid API key" };
  }
}

function closeIdle({ sockets, settings }) {
  const latest = Date.now() - settings.idle_ms;
  for (const socket of [...sockets]) if (socket.heard < latest) socket.close(CLOSE.idle, "idle");
}

/** Close everything, and wait until it is closed. */
async function closeAll({ sockets, settings }) {
  const ends = [...sockets].map((socket) => {
    const end = new Promise((resolve) => socket.ws.once("close", resolve));
    socket.close(CLOSE.restart, "service restart");
    return end;
  });
  const patience = new Promise((resolve) => setTimeout(resolve, 2 * settings.close_ms).unref());
  await Promise.race([Promise.all(ends), patience]);
}

/** Join the HTTP server; resolves to what ends it. */
export async function realtime({ server: http, config, connection }) {
  const settings = { ...SETTINGS, ...config.realtime };
  const rooms = new Rooms();
  const realtimeServer = { config, settings, rooms, access: new Access(connection), sockets: new Set() };
  const acceptor = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: settings.message_bytes + FRAME_BYTES,
  });
  const database = new DatabaseBroadcasts({
    connection,
    rooms,
    limit: settings.message_bytes,
    // Clients reconnect, join and reload: nobody waits for a hint that was missed.
    gap: () => [...realtimeServer.sockets].forEach((socket) => socket.close(CLOSE.restart, "service restart")),
  });
  await database.open();

  const upgrade = (request, tcp, head) => {
    tcp.on("error", () => tcp.destroy());
    try {
      const who = introduced(request, config);
      if (who.status) return refuse(tcp, who.status, who.message);
      if (realtimeServer.sockets.size >= settings.connections) {
        return refuse(tcp, 503, "Too many connected users");
      }
      acceptor.handleUpgrade(request, tcp, head, (ws) => {
        realtimeServer.sockets.add(new Socket(ws, { server: realtimeServer, ...who }));
      });
    } catch (problem) {
      log("error", "a connection could not be accepted", { name: problem.name });
      refuse(tcp, 500, "Internal error");
    }
  };
  http.on("upgrade", upgrade);
  const idle = setInterval(() => closeIdle(realtimeServer), Math.min(settings.idle_ms / 4, 15_000)).unref();

  return async () => {
    clearInterval(idle);
    http.off("upgrade", upgrade); // the HTTP server then drops whoever comes still
    await closeAll(realtimeServer);
    await database.close();
  };
}
