// Uploads as the official clients send them, in the form @supabase/lite 0.10.0 understands.
//
// supabase-js sends a form whose file has an empty field name. The real Storage takes the first
// file whatever its name; Lite wants the name `file`, and on PUT it would store the form itself.

const UPLOAD = /^\/storage\/v1\/object\//;

/** The same upload with the file as its body; every other request unchanged. */
export async function withPlainBody(request) {
  const type = request.headers.get("content-type") ?? "";
  if (!type.startsWith("multipart/form-data")) return request;
  if (!UPLOAD.test(new URL(request.url).pathname)) return request;
  const form = await request.formData();
  const file = [...form.values()].find((value) => typeof value !== "string");
  if (file === undefined) return new Request(request.url, { method: "POST", headers: request.headers });
  const headers = new Headers(request.headers);
  headers.set("content-type", file.type || "application/octet-stream");
  headers.set("content-length", String(file.size));
  if (form.has("cacheControl")) headers.set("cache-control", `max-age=${form.get("cacheControl")}`);
  return new Request(request.url, { method: request.method, headers, body: file });
}
