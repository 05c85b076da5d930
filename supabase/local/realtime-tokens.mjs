// Who speaks: API keys and HS256 tokens of the stack, refused in the words of the hosted Realtime.

import { createHmac, timingSafeEqual } from "node:crypto";

const PART = /^[A-Za-z0-9_-]+$/;

/** A refusal with the code that a join's answer starts with; `said` alone goes to open channels. */
export class Refusal extends Error {
  constructor(code, said) {
    super(`${code}: ${said}`);
    this.said = said;
  }
}

export const now = () => Math.floor(Date.now() / 1000);

/** Refuse claims whose time is over. */
export function assertLive(claims) {
  if (claims.exp === undefined) return; // an API key's
  const late = now() - claims.exp;
  if (late >= 0) throw new Refusal("InvalidJWTToken", `Token has expired ${late} seconds ago`);
}

function part(text) {
  const value = PART.test(text) ? JSON.parse(Buffer.from(text, "base64url").toString()) : null;
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Error("no part");
  return value;
}

function isSignedWith(secret, signed, signature) {
  const expected = createHmac("sha256", secret).update(signed).digest();
  const given = Buffer.from(signature, "base64url");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** The claims of a token that this stack's Auth signed and whose time is not over. */
export function claimsOf(token, secret) {
  const parts = token.split(".");
  let header, claims;
  try {
    if (parts.length !== 3) throw new Error("no token");
    [header, claims] = parts.slice(0, 2).map(part);
  } catch {
    throw new Refusal("MalformedJWT", "The token provided is not a valid JWT");
  }
  if (header.alg !== "HS256" || !isSignedWith(secret, `${parts[0]}.${parts[1]}`, parts[2])) {
    throw new Refusal("JwtSignatureError", "Failed to validate JWT signature");
  }
  if (claims.role === undefined || claims.exp === undefined) {
    throw new Refusal("InvalidJWTToken", "Fields `role` and `exp` are required in JWT");
  }
  if (!Number.isInteger(claims.exp) || claims.exp <= 0) {
    throw new Refusal("InvalidJWTToken", "Token expiration time is invalid");
  }
  assertLive(claims);
  return claims;
}

function isSame(given, key) {
  const [a, b] = [given, key].map((text) => createHmac("sha256", "key").update(text).digest());
  return timingSafeEqual(a, b);
}

/** Whom an API key stands for; an older project's key is a signed token itself. */
export function claimsOfKey(key, config) {
  if (isSame(key, config.publishable_key)) return { role: "anon" };
  if (isSame(key, config.secret_key)) return { role: "service_role" };
  return claimsOf(key, config.jwt_secret);
}
