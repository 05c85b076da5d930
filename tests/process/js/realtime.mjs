// supabase-js at the end of a pipe: one JSON command a line comes in, one JSON event a line goes out.
//
//   node realtime.mjs FOLDER_WITH_NODE_MODULES URL KEY

import { createRequire } from "node:module";
import readline from "node:readline";

const [folder, url, key] = process.argv.slice(2);
const require = createRequire(`${folder}/package.json`);
const { createClient } = require("@supabase/supabase-js");
const WebSocket = require("ws");

const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
let accessToken = null;
const client = createClient(url, key, {
  accessToken: async () => accessToken,
  realtime: { transport: WebSocket },
});
const channels = new Map();

const commands = {
  async auth({ token }) {
    accessToken = token;
    await client.realtime.setAuth();
    tell({ event: "auth" });
  },
  join({ name, topic, config }) {
    const channel = client.channel(topic, { config });
    channels.set(name, channel);
    channel.on("broadcast", { event: "*" }, (message) => tell({ event: "broadcast", name, message }));
    channel.on("system", {}, ({ status, message }) => tell({ event: "system", name, status, message }));
    channel.subscribe((status, error) => tell({ event: "status", name, status, error: error?.message }));
  },
  async send({ name, event, payload }) {
    const result = await channels.get(name).send({ type: "broadcast", event, payload });
    tell({ event: "sent", name, result });
  },
  async leave({ name }) {
    tell({ event: "left", name, result: await client.removeChannel(channels.get(name)) });
  },
  async heartbeat() {
    client.realtime.onHeartbeat((status) => tell({ event: "heartbeat", status }));
    await client.realtime.sendHeartbeat();
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { do: command, ...rest } = JSON.parse(line);
  await commands[command](rest);
}
process.exit(0);
