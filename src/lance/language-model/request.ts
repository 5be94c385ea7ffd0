import { z } from 'zod'
import { throwIfAborted } from '../../core/index.js'
import type { ChatEndpoint, ChatRequest } from './chat.js'
import { LanguageModelError, type LanguageModelFailure } from './language-model-error.js'

/** What one request came to. */
export type Answer =
  | { readonly text: string }
  | {
      readonly failure: LanguageModelError
      /** Whether the same request may succeed later. */
      readonly mayRetry: boolean
      /** Milliseconds that the endpoint asks to wait. */
      readonly retryAfter?: number
    }

const completion = z.looseObject({
  choices: z
    .array(
      z.looseObject({
        finish_reason: z.string().nullish(),
        message: z.looseObject({ content: z.string().nullish(), refusal: z.string().nullish() }),
      }),
    )
    .min(1),
})

/** One try: a POST, its whole answer, and what is wrong with it. Throws on an abort alone. */
export async function requestOnce(
  endpoint: ChatEndpoint & { readonly timeout: number },
  request: ChatRequest,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const url = `${endpoint.url.replace(/\/+$/, '')}/chat/completions`
  const clock = AbortSignal.timeout(endpoint.timeout)
  const failed = (
    reason: LanguageModelFailure,
    got: string,
    mend: string,
    cause?: unknown,
    status?: number,
  ) =>
    new LanguageModelError(
      reason,
      { rule: `a language model at ${url} answers in its protocol`, got, mend, cause },
      status,
    )
  let response: Response
  let body: string
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(endpoint.apiKey ? { authorization: `Bearer ${endpoint.apiKey}` } : {}),
      },
      body: JSON.stringify({ model: endpoint.model, stream: false, ...request }),
      signal: signal ? AbortSignal.any([signal, clock]) : clock,
    })
    body = await response.text()
  } catch (cause) {
    throwIfAborted(signal, 'a language model')
    if (clock.aborted) {
      const failure = failed(
        'timeout',
        `no whole answer within ${endpoint.timeout} ms`,
        'Give a longer timeout.',
        cause,
      )
      return { failure, mayRetry: true }
    }
    const { message, cause: deeper } = cause as Error
    const got = deeper instanceof Error ? `${message}: ${deeper.message}` : message
    const mend =
      'Start the server, check the address; a caption that was asked for before replays from the cache.'
    return { failure: failed('unreachable', got, mend, cause), mayRetry: true }
  }
  const { status } = response
  if (!response.ok) {
    const got = `status ${status}: ${excerpt(body)}`
    if (status === 429) {
      const failure = failed('rate-limited', got, 'Wait, or send fewer requests.', undefined, status)
      return { failure, mayRetry: true, ...retryAfterOf(response) }
    }
    const mend =
      status === 401 || status === 403 ? 'Check the API key.' : 'Check the model name and the address.'
    const failure = failed('http', got, mend, undefined, status)
    return { failure, mayRetry: status >= 500 || status === 408, ...retryAfterOf(response) }
  }
  const parsed = completion.safeParse(parseJson(body))
  if (!parsed.success) {
    const mend = 'Check that the address is that of an OpenAI-compatible server.'
    return { failure: failed('malformed', `${excerpt(body)}`, mend, parsed.error, status), mayRetry: true }
  }
  const [{ finish_reason: ending, message }] = parsed.data.choices as [
    z.infer<typeof completion>['choices'][0],
  ]
  if (message.refusal || ending === 'content_filter') {
    const got = `a refusal: ${excerpt(message.refusal ?? message.content ?? '')}`
    return {
      failure: failed('refused', got, 'Ask another model, or change the caption.', undefined, status),
      mayRetry: false,
    }
  }
  if (ending === 'length') {
    const got = `an answer cut off after ${excerpt(message.content ?? '')}`
    return {
      failure: failed('truncated', got, 'Give more maxTokens, or ask for fewer edits.', undefined, status),
      mayRetry: false,
    }
  }
  return { text: message.content ?? '' }
}

/** The start of a text, for a message. */
export function excerpt(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text)
}

/** JSON, or undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

// Seconds, or a date.
function retryAfterOf(response: Response): { retryAfter?: number } {
  const header = response.headers.get('retry-after')
  if (header === null) return {}
  const wait = /^\s*\d+(\.\d+)?\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isFinite(wait) ? { retryAfter: Math.max(0, wait) } : {}
}
