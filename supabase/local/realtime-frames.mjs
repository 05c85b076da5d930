// The two spellings of Phoenix's frames: objects (vsn 1.0.0) and arrays (vsn 2.0.0, also binary).

const USER_BROADCAST_PUSH = 3;
const USER_BROADCAST = 4;
const JSON_ENCODING = 1;
const LONGEST_FIELD = 255; // bytes; each length is one byte

export const VERSIONS = ["1.0.0", "2.0.0"];

export class Malformed extends Error {}

const isText = (value) => typeof value === "string";
const isRef = (value) => value === undefined || value === null || isText(value);

function checked({ joinRef, ref, topic, event, payload, push }) {
  if (!isRef(joinRef) || !isRef(ref) || !isText(topic) || !isText(event)) throw new Malformed("fields");
  const isObject = payload !== null && typeof payload === "object" && !Array.isArray(payload);
  return { joinRef: joinRef ?? null, ref: ref ?? null, topic, event, payload: isObject ? payload : {}, push };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Malformed("JSON");
  }
}

/** A binary frame is a client's broadcast: five lengths, an encoding, the fields, the payload. */
function decodePush(bytes) {
  if (bytes.length < 7 || bytes[0] !== USER_BROADCAST_PUSH) throw new Malformed("binary kind");
  const lengths = bytes.subarray(1, 6);
  const fields = [];
  let offset = 7;
  for (const length of lengths) {
    if (offset + length > bytes.length) throw new Malformed("binary length");
    fields.push(bytes.toString("utf8", offset, offset + length));
    offset += length;
  }
  const [joinRef, ref, topic, event] = fields;
  const body = bytes.subarray(offset);
  const isJson = bytes[6] === JSON_ENCODING;
  if (isJson) parsed(body.toString()); // others will be sent it as JSON
  return checked({ joinRef, ref, topic, event: "broadcast", push: { event, body, isJson } });
}

/** Read a frame; throws Malformed. */
export function decode(vsn, bytes, isBinary) {
  if (isBinary) {
    if (vsn !== "2.0.0") throw new Malformed("binary in vsn 1");
    return decodePush(bytes);
  }
  const frame = parsed(bytes.toString());
  if (vsn === "2.0.0") {
    if (!Array.isArray(frame) || frame.length !== 5) throw new Malformed("array");
    const [joinRef, ref, topic, event, payload] = frame;
    return checked({ joinRef, ref, topic, event, payload });
  }
  if (frame === null || typeof frame !== "object" || Array.isArray(frame)) throw new Malformed("object");
  const { join_ref: joinRef, ref, topic, event, payload } = frame;
  return checked({ joinRef, ref, topic, event, payload });
}

/** Write a frame whose payload is JSON text already. */
function spell(vsn, { joinRef = null, ref = null, topic, event }, payload) {
  const [t, e, r] = [topic, event, ref].map((value) => JSON.stringify(value));
  return vsn === "2.0.0"
    ? `[${JSON.stringify(joinRef)},${r},${t},${e},${payload}]`
    : `{"topic":${t},"event":${e},"payload":${payload},"ref":${r}}`;
}

export function encode(vsn, frame) {
  return spell(vsn, frame, JSON.stringify(frame.payload ?? {}));
}

function binary(topic, { event, body, isJson, meta }) {
  const fields = [topic, event, meta ? JSON.stringify(meta) : ""].map((text) => Buffer.from(text));
  if (fields.some((field) => field.length > LONGEST_FIELD)) return null;
  const lengths = fields.map((field) => field.length);
  const head = Buffer.from([USER_BROADCAST, ...lengths, isJson ? JSON_ENCODING : 0]);
  return Buffer.concat([head, ...fields, body]);
}

/**
 * Write a broadcast for everybody on one topic, once per spelling; null where it cannot be written.
 *
 * `message` is either `{ whole }`, the payload as JSON text, or a client's binary push.
 */
export function broadcastWriter(topic, message) {
  const written = new Map();
  const write = (vsn) => {
    if (message.whole !== undefined) return spell(vsn, { topic, event: "broadcast" }, message.whole);
    if (vsn === "2.0.0") return binary(topic, message);
    if (!message.isJson) return null; // vsn 1 has no way to say it
    const whole = `{"event":${JSON.stringify(message.event)},"payload":${message.body.toString()},"type":"broadcast"}`;
    return spell(vsn, { topic, event: "broadcast" }, whole);
  };
  return (vsn) => {
    if (!written.has(vsn)) written.set(vsn, write(vsn));
    return written.get(vsn);
  };
}
