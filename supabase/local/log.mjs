// One JSON line per thing worth knowing; never a value that came from a request or a row.

/** What may be said of an error: its kind and code. Messages of a database can hold values. */
function describe(thing) {
  if (thing instanceof Error) {
    const code = thing.sqlstate ?? thing.code;
    return code ? `${thing.name} ${code}` : thing.name;
  }
  return typeof thing === "string" ? thing.split("\n", 1)[0].slice(0, 120) : typeof thing;
}

export function log(level, event, fields = {}) {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...fields })}\n`);
}

/** Libraries print whole errors, rows and e-mail addresses with them: let only descriptions out. */
export function tameConsole() {
  for (const [method, level] of [["error", "error"], ["warn", "warning"], ["info", "info"], ["log", "info"], ["debug", "debug"]]) {
    console[method] = (...things) => log(level, "library", { said: things.map(describe) });
  }
  process.removeAllListeners("warning");
  process.on("warning", (warning) => log("warning", "library", { said: [warning.name] }));
}
