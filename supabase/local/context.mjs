// What the SQL of a request may know about its HTTP request, carried beside the call.

import { AsyncLocalStorage } from "node:async_hooks";

const requests = new AsyncLocalStorage();

/** Run `work` as part of serving `request`. */
export function during(request, work) {
  const { pathname } = new URL(request.url);
  return requests.run({ request, pathname, method: request.method }, work);
}

/** The request being served, or undefined outside of one (start-up, listeners). */
export function current() {
  return requests.getStore();
}

/** All request headers as PostgREST hands them to SQL: one JSON object, names in lower case. */
export function headersJson(request) {
  return JSON.stringify(Object.fromEntries(request.headers));
}
