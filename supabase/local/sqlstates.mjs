// PostgREST's answer to an error of the database, where @supabase/lite 0.10.0 answers otherwise.
//
// Source of the table: PostgREST's documentation, "Errors", "PostgreSQL errors". Lite serves the
// classes 21, 22, 42 and 23502, 23503, 23505 and 25006 as PostgREST does and turns everything
// else into a 500 of its own, which would hide our CX codes from the frontend.

const AS_POSTGREST = /^(21|22|42)|^(23502|23503|23505|25006|PGRST|PT...)$/;

const STATUS = [
  [/^08/, 503],
  [/^09/, 500],
  [/^0[LP]/, 403],
  [/^25/, 500],
  [/^28/, 403],
  [/^(2D|38|39|3B|40)/, 500],
  [/^53400/, 500],
  [/^53/, 503],
  [/^(54|55|57|58|F0|HV|XX)/, 500],
  [/^P0001/, 400],
  [/^P0/, 500],
];

/** The HTTP status PostgREST gives to a SQLSTATE it does not treat specially. */
export function statusOf(code) {
  return STATUS.find(([pattern]) => pattern.test(code))?.[1] ?? 400;
}

/** Rewrite an error so that Lite sends PostgREST's status and body for it, or leave it alone. */
export function asPostgrest(error) {
  const code = error?.code;
  if (typeof code !== "string" || !/^[0-9A-Z]{5}$/.test(code)) return error;
  const missingRelation = code === "42P01";
  if (AS_POSTGREST.test(code) && !missingRelation) return error;
  const body = {
    code,
    message: error.message,
    details: error.detail ?? null,
    hint: error.hint ?? null,
  };
  // Lite honours PostgREST's own way for SQL to choose the whole answer: SQLSTATE PGRST.
  return Object.assign(new Error(JSON.stringify(body)), {
    code: "PGRST",
    sqlstate: code,
    detail: JSON.stringify({ status: missingRelation ? 404 : statusOf(code), headers: {} }),
  });
}
