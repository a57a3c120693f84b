// The responses to requests that the application does not receive.

const NO_STORE = ["cache-control", "no-store"];
const PROBLEM_JSON = ["content-type", "application/problem+json"];

/** The rejection of a request that the sandbox did not decide about. */
export function undecided(reason) {
  const body = '{"title":"Service Unavailable","status":503}';
  return { kind: "reject", status: 503, headers: [NO_STORE, PROBLEM_JSON, ["retry-after", "1"]], body, reason };
}

/** The rejection of a request whose head is too large to be copied into the sandbox (RFC 6585 section 5). */
export function tooLarge() {
  const body = '{"title":"Request Header Fields Too Large","status":431}';
  return { kind: "reject", status: 431, headers: [NO_STORE, PROBLEM_JSON], body, reason: "head-too-large" };
}

/** Logs the line of a decision for the operator, if it has one. */
export function logged({ log }) {
  if (log !== undefined) console.warn(`poolgate: ${log}`);
}

/** Logs where a decision failed. The message of an error may have a part of the request, so it is not logged. */
export function logFailure(error) {
  const frames = String(error?.stack ?? "").split("\n").filter((line) => line.startsWith("    at "));
  console.error(["poolgate: a request is rejected, because deciding about it failed", ...frames].join("\n"));
}

/**
 * Decides with `decide`, which also changes an admitted request, and calls `observe`. Returns `{ claims }` of an admission, and otherwise
 * `{ response }`. A failure is a rejection.
 */
export async function answered(decide, observe, method, isHttp2) {
  try {
    const decision = await decide();
    observe(decision);
    return decision.kind === "admit" ? { claims: decision.claims } : { response: responseOf(decision, method, isHttp2) };
  } catch (error) {
    logFailure(error);
    return { response: responseOf(undecided("sandbox-failed"), method) };
  }
}

/**
 * Returns the HTTP response of a decision that is not an admission, as `{ status, headers, body }`. The value of a header is a list if there are
 * several. The response to HEAD has no body. Over HTTP/2, the response to a gRPC call is a gRPC status.
 */
export function responseOf(decision, method, isHttp2) {
  let { status, headers, body } = decision;
  if (isHttp2 && decision.grpc) {
    const { status: code, message } = decision.grpc;
    headers = headers.filter(([name]) => name !== "content-type");
    headers = [...headers, ["content-type", "application/grpc"], ["grpc-status", String(code)], ["grpc-message", message]];
    [status, body] = [200, ""];
  } else {
    headers = [...headers, ["content-length", String(Buffer.byteLength(body))]];
  }
  return { status, headers: grouped(headers), body: method === "HEAD" ? "" : body };
}

function grouped(fields) {
  const headers = new Map();
  for (const [name, value] of fields) headers.set(name, headers.has(name) ? [headers.get(name), value].flat() : value);
  return [...headers];
}
