// Signed addresses as the official clients read them: @supabase/lite 0.10.0 names and roots them
// in another way. The bulk form (createSignedUrls) is not served locally.

const SIGN = /^\/storage\/v1\/object\/(upload\/)?sign\//;
const ROOT = "/storage/v1";

/** The same answer with the address as the real Storage gives it; every other one unchanged. */
export async function withClientAddress(request, response) {
  const signs = request.method === "POST" && SIGN.exec(new URL(request.url).pathname);
  if (!signs || !response.ok) return response;
  const { signedUrl, token } = await response.json();
  const address = signedUrl.slice(signedUrl.indexOf(ROOT) + ROOT.length);
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  const told = signs[1] ? { url: address, token } : { signedURL: address };
  return Response.json(told, { status: response.status, headers });
}
