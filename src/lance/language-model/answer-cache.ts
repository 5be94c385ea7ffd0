import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeAtomically } from '../../core/index.js'
import { LanguageModelError } from './language-model-error.js'
import { parseJson } from './request.js'

/** Where answers are kept, so that a run replays without its server. */
export interface AnswerCacheOptions {
  /** A folder; one JSON file for each question. Nothing is kept without. */
  readonly cache?: string
  /** Never ask the endpoint: what is not in the cache is an error; false. */
  readonly offline?: boolean
}

/**
 * The answer to a question: from the cache, or asked and then kept. The key is the content of the question, its model
 * included and its address not, so that another server may replay it.
 *
 * @param options - folder, offline
 * @param question - plain JSON
 * @param check - whether what was kept is a usable answer; a broken file counts as none
 * @param ask - asks the endpoint
 * @throws LanguageModelError with reason `'offline'`, and whatever `ask` throws
 */
export async function cachedAnswer<T>(
  options: AnswerCacheOptions,
  question: unknown,
  check: (answer: unknown) => T | undefined,
  ask: () => Promise<T>,
): Promise<{ readonly answer: T; readonly replayed: boolean }> {
  const key = createHash('sha256').update(JSON.stringify(question)).digest('hex')
  const path = options.cache === undefined ? undefined : join(options.cache, `${key}.json`)
  if (path !== undefined) {
    const kept = parseJson(await readFile(path, 'utf8').catch(() => ''))
    const answer = check((kept as { answer?: unknown } | null | undefined)?.answer)
    if (answer !== undefined) return { answer, replayed: true }
  }
  if (options.offline) {
    throw new LanguageModelError('offline', {
      rule: 'an offline language model replays answers from its cache',
      got: path === undefined ? 'no cache folder' : `no answer under ${key}`,
      mend: 'Run once with the endpoint and the same cache, captions and options.',
    })
  }
  const answer = await ask()
  if (path !== undefined) await writeAtomically(path, `${JSON.stringify({ question, answer }, null, 2)}\n`)
  return { answer, replayed: false }
}
