/** HTTP to the meeting server, and what a refusal means. Tokens go in the Authorization header, never in the address. */

export interface FieldError {
  pointer: string;
  detail: string;
  code: string;
}

/** An RFC 9457 problem. `code` is stable; `detail` is for people. Status 0: the server was not reached. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly errors: FieldError[] = [],
    readonly retryAfter: number | null = null,
  ) {
    super(`${status} ${code}`);
  }
}

interface Ask {
  bearer?: string | null;
  json?: unknown;
  sdp?: string;
  headers?: Record<string, string>;
}

/** @throws Problem where the server refuses, or cannot be reached within 10 s. */
export async function ask(
  method: string,
  path: string,
  { bearer, json, sdp, headers = {} }: Ask = {},
): Promise<Response> {
  const sent: Record<string, string> = { ...headers };
  if (bearer) sent["Authorization"] = `Bearer ${bearer}`;
  if (json !== undefined) sent["Content-Type"] = "application/json";
  if (sdp !== undefined) sent["Content-Type"] = "application/sdp";
  const body = sdp ?? (json === undefined ? null : JSON.stringify(json));
  let answer: Response;
  try {
    answer = await fetch(`/api/v1${path}`, { method, headers: sent, body, signal: AbortSignal.timeout(10_000) });
  } catch {
    throw new Problem(0, "unreachable", "");
  }
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

async function problemOf(answer: Response): Promise<Problem> {
  const seconds = Number(answer.headers.get("Retry-After"));
  const retryAfter = Number.isFinite(seconds) && seconds > 0 ? seconds : null;
  try {
    const told = (await answer.json()) as Partial<{ code: string; detail: string; errors: FieldError[] }>;
    return new Problem(answer.status, told.code ?? "", told.detail ?? "", told.errors ?? [], retryAfter);
  } catch {
    return new Problem(answer.status, "", "", [], retryAfter);
  }
}
