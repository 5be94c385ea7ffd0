import { z } from 'zod'
import { expectNumber, type RunOptions, throwIfAborted } from '../../core/index.js'
import { CaptionError } from '../caption-error.js'
import { distinct, type Perturbation, type Perturber, perturbation } from '../perturbation.js'
import { isEmptyDiff, wordDiff } from '../word-diff.js'
import { type AnswerCacheOptions, cachedAnswer } from './answer-cache.js'
import type { ChatEndpoint, ChatRequest } from './chat.js'
import { askEndpoint } from './endpoint.js'
import { LANCE_KINDS, lanceMessages, structuredMessages } from './instructions.js'
import { LanguageModelError } from './language-model-error.js'
import { editsFormat, readEdits, readLanceList } from './read-edits.js'

/** Options of {@link languageModelPerturber}. */
export interface LanguageModelPerturberOptions extends ChatEndpoint, AnswerCacheOptions {
  /** What to change, one request for each; LANCE's six. Any other word is asked for by its name. */
  readonly kinds?: readonly string[]
  /** Variations of each kind; 3. */
  readonly count?: number
  /** Sampling temperature; 0.7. */
  readonly temperature?: number
  /** Seed of the sampling, where the server heeds it; 0. */
  readonly seed?: number
  /** The most tokens of an answer; 400, as LANCE has it. */
  readonly maxTokens?: number
  /** Whether to send a JSON schema with the request; true. Answers are checked against it either way. */
  readonly structured?: boolean
  /** `'lance-2023'` asks in the frame of LANCE's fine-tuned model and reads its list, habits included. */
  readonly dialect?: 'lance-2023'
}

/**
 * Perturbs captions with a language model behind an OpenAI-compatible endpoint. Answers that say the caption again or
 * say the same twice are left out.
 *
 * ```ts
 * const perturb = languageModelPerturber({ url: 'http://localhost:11434/v1', model: 'llama3.1', cache: 'out/answers' })
 * await perturb('a photo of a dog on a beach', { signal: AbortSignal.timeout(60_000) })
 * ```
 *
 * @param options - the endpoint, what to ask for, and where answers are kept
 * @returns a function of a caption and run options; it throws {@link LanguageModelError} with a `reason`, AbortError
 * on an abort, and CaptionError on an empty caption
 * @throws ArgumentError on a count that is not a whole number of at least 1
 */
export function languageModelPerturber(options: LanguageModelPerturberOptions): Perturber {
  const { kinds = LANCE_KINDS, count = 3, model, seed = 0, dialect } = options
  expectNumber(count, { min: 1, integer: true }, 'languageModelPerturber', 'count')
  return async (caption: string, run: RunOptions = {}) => {
    expectCaption(caption)
    const made: Perturbation[] = []
    for (const [at, kind] of kinds.entries()) {
      throwIfAborted(run.signal, 'a language model')
      const { answer, replayed } = await captionsFor(caption, kind, options, run)
      for (const target of answer.slice(0, count)) {
        if (isEmptyDiff(wordDiff(caption, target))) continue
        const provenance = { perturber: 'language-model', model, seed, replayed, ...(dialect && { dialect }) }
        made.push(perturbation({ kind, source: caption, target, provenance }))
      }
      run.onProgress?.({ stage: 'perturb', done: at + 1, total: kinds.length, detail: kind })
    }
    return distinct(made)
  }
}

async function captionsFor(
  caption: string,
  kind: string,
  options: LanguageModelPerturberOptions,
  run: RunOptions,
): Promise<{ readonly answer: readonly string[]; readonly replayed: boolean }> {
  const { count = 3, temperature = 0.7, seed = 0, maxTokens = 400, structured = true, dialect } = options
  const isHistoric = dialect === 'lance-2023'
  const request: ChatRequest = {
    messages: (isHistoric ? lanceMessages : structuredMessages)(caption, kind, count),
    temperature,
    max_tokens: maxTokens,
    seed,
    ...(structured && !isHistoric && { response_format: editsFormat }),
  }
  const readAny = isHistoric ? readLanceList : readEdits
  const read = (text: string) => {
    const captions = readAny(text)
    if (captions.some((one) => !isEmptyDiff(wordDiff(caption, one)))) return captions
    throw new LanguageModelError('malformed', {
      rule: 'a language model that perturbs captions changes at least one word',
      got: JSON.stringify(captions[0] ?? ''),
      mend: 'Ask for another kind, or another model.',
    })
  }
  const question = { model: options.model, dialect: dialect ?? null, request }
  const kept = z.array(z.string().min(1)).min(1)
  const check = (answer: unknown) => kept.safeParse(answer).data
  return cachedAnswer(options, question, check, () => askEndpoint(options, request, read, run))
}

function expectCaption(caption: string): void {
  if (caption.trim() !== '') return
  throw new CaptionError(
    {
      rule: 'languageModelPerturber needs a caption',
      got: 'an empty one',
      mend: 'Caption the picture first.',
    },
    [],
  )
}
