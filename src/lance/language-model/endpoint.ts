import { setTimeout as pause } from 'node:timers/promises'
import { expectNumber, type RunOptions, throwIfAborted } from '../../core/index.js'
import type { ChatEndpoint, ChatRequest } from './chat.js'
import { LanguageModelError } from './language-model-error.js'
import { requestOnce } from './request.js'

/**
 * Asks a chat endpoint and reads its answer, with retries: after a timeout, a broken connection, a rate limit, a
 * server error, or an answer that `read` refuses. A refusal, an answer cut at `max_tokens` and other client errors end
 * it at once. Between tries it waits, doubling, with what `Retry-After` asks for as the least.
 *
 * @param endpoint - address, model, patience
 * @param request - the conversation; with a seed, every further try adds one to it
 * @param read - the answer's text to a value; throws {@link LanguageModelError} on what it cannot use
 * @param run - signal
 * @throws LanguageModelError with its `reason`, after the last try
 * @throws AbortError when `signal` is aborted
 */
export async function askEndpoint<T>(
  endpoint: ChatEndpoint,
  request: ChatRequest,
  read: (text: string) => T,
  run: RunOptions = {},
): Promise<T> {
  const { timeout = 60_000, retries = 3, backOff = 500, longestPause = 60_000 } = endpoint
  expectNumber(timeout, { min: 1 }, 'a chat endpoint', 'timeout')
  expectNumber(retries, { min: 0, integer: true }, 'a chat endpoint', 'retries')
  expectNumber(backOff, { min: 0 }, 'a chat endpoint', 'backOff')
  for (let attempt = 0; ; attempt++) {
    throwIfAborted(run.signal, 'a language model')
    const seeded = request.seed === undefined ? request : { ...request, seed: request.seed + attempt }
    const answer = await requestOnce({ ...endpoint, timeout }, seeded, run.signal)
    let failure: LanguageModelError
    let wait = backOff * 2 ** attempt
    if ('text' in answer) {
      try {
        return read(answer.text)
      } catch (error) {
        if (!(error instanceof LanguageModelError)) throw error
        failure = error
      }
    } else {
      failure = answer.failure
      if (!answer.mayRetry || (answer.retryAfter ?? 0) > longestPause) throw failure
      wait = Math.max(wait, answer.retryAfter ?? 0)
    }
    if (attempt >= retries) throw failure
    await pause(wait, undefined, run.signal ? { signal: run.signal } : {}).catch(() => undefined)
  }
}
