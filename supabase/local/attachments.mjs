// What joins the HTTP server beside Auth, REST and Storage.
//
// Each is `async ({ server, config, connection }) => close`: it may listen to the server's
// `upgrade` event and use `connection.driver` (postgres.js); `close` is awaited at shutdown.

import { realtime } from "./realtime.mjs";

export const attachments = [realtime];
