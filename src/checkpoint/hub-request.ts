import { AbortError, CheckpointError } from '../core/index.js'

/** How to reach the Hub. */
export interface HubAccess {
  /** Base address, without a slash at its end. */
  readonly endpoint: string
  /** Access token, for models that need one. */
  readonly token?: string | undefined
  /** Abort to stop. */
  readonly signal?: AbortSignal | undefined
}

/**
 * One GET, with every failure as a typed error. Range requests may answer 200, 206 or 416.
 *
 * @param path - below the endpoint
 * @param access - address, token, signal
 * @param begin - first byte wanted
 * @throws CheckpointError when the Hub cannot be reached or refuses; its `cause` is a TypeError in the former case
 * @throws AbortError when the signal is aborted
 */
export async function hubGet(path: string, access: HubAccess, begin = 0): Promise<Response> {
  const url = `${access.endpoint}${path}`
  const headers: Record<string, string> = {
    // A compressed body would make byte counts and ranges mean something else.
    'accept-encoding': 'identity',
    ...(access.token ? { authorization: `Bearer ${access.token}` } : {}),
    ...(begin > 0 ? { range: `bytes=${begin}-` } : {}),
  }
  let response: Response
  try {
    response = await fetch(url, { headers, signal: access.signal ?? null })
  } catch (cause) {
    throw hubFailure(url, access.signal, cause)
  }
  if (response.ok || (begin > 0 && response.status === 416)) return response
  await response.body?.cancel()
  throw refused(url, response.status, access.token !== undefined)
}

/**
 * The typed error of a request that broke off.
 *
 * @param url - named in the error
 * @param signal - tells an abort from a failure
 * @param cause - what `fetch` threw
 */
export function hubFailure(
  url: string,
  signal: AbortSignal | undefined,
  cause: unknown,
): AbortError | CheckpointError {
  if (signal?.aborted)
    return new AbortError({
      rule: 'A download runs until its signal is aborted',
      got: 'an abort',
      mend: 'What arrived is kept in a file named .incomplete; call again to resume.',
      cause: signal.reason,
    })
  const { message, cause: deeper } = cause as Error
  return new CheckpointError({
    rule: 'A download needs the Hugging Face Hub to answer',
    got: `${url}: ${deeper instanceof Error ? deeper.message : message}`,
    mend: 'Check the network; call again to resume. A model that is in the cache loads with { offline: true }.',
    cause,
  })
}

/** Whether an error means that the Hub could not be reached at all. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof CheckpointError && error.cause instanceof TypeError
}

function refused(url: string, status: number, hasToken: boolean): CheckpointError {
  const mends: Readonly<Record<number, string>> = {
    401: hasToken
      ? 'The token is not valid, or there is no such model; check both.'
      : 'Check the id; a private or gated model needs { token } or the variable HF_TOKEN.',
    403: "Accept the model's licence on its page, and use a token of that account.",
    404: 'Check the id and the revision.',
    429: 'The Hub asks for a pause; call again later to resume.',
  }
  return new CheckpointError({
    rule: 'A download needs the Hugging Face Hub to agree',
    got: `${url}: status ${status}`,
    mend: mends[status] ?? 'Call again later to resume.',
  })
}
