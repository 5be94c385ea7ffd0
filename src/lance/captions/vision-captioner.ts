import { createHash } from 'node:crypto'
import { expectNumber } from '../../core/index.js'
import { encodePng } from '../../image/index.js'
import { type AnswerCacheOptions, cachedAnswer } from '../language-model/answer-cache.js'
import type { ChatEndpoint } from '../language-model/chat.js'
import { askEndpoint } from '../language-model/endpoint.js'
import { LanguageModelError } from '../language-model/language-model-error.js'
import { excerpt } from '../language-model/request.js'
import type { Captioner } from './captioner.js'

/** Options of {@link visionCaptioner}. */
export interface VisionCaptionerOptions extends ChatEndpoint, AnswerCacheOptions {
  /** What to ask of a picture; by default a caption in the paper's form, in the words that the clinical grammar reads. */
  readonly instruction?: string
  /** Sampling temperature; 0. */
  readonly temperature?: number
  /** Seed of the sampling, where the server heeds it; 0. */
  readonly seed?: number
  /** The most tokens of a caption; 100, as LANCE has it. */
  readonly maxTokens?: number
}

const asked =
  'Describe this chest X-ray in one sentence of the form "Chest X-ray with A, no B and C." Name findings among: ' +
  'cardiomegaly, pleural effusion, pneumothorax, edema, consolidation, pneumonia, atelectasis, lung opacity, ' +
  'lung lesion, fracture, enlarged cardiomediastinum, pleural thickening, support devices. If there is none, answer ' +
  '"Normal chest X-ray with no significant findings". Answer with the sentence alone.'

/**
 * A captioner that shows the picture to a vision chat model behind an OpenAI-compatible endpoint: as a PNG, in a data
 * URL.
 *
 * ```ts
 * const caption = visionCaptioner({ url: 'http://localhost:11434/v1', model: 'llava', cache: 'out/captions' })
 * await caption({ name: 'patient.png', image })
 * ```
 *
 * @param options - the endpoint, what to ask, and where answers are kept (by the picture's content, not its name)
 * @returns a captioner; it throws {@link LanguageModelError} with a `reason`, and AbortError
 */
export function visionCaptioner(options: VisionCaptionerOptions): Captioner {
  const { instruction = asked, temperature = 0, seed = 0, maxTokens = 100 } = options
  expectNumber(maxTokens, { min: 1, integer: true }, 'visionCaptioner', 'maxTokens')
  return async ({ image }, run) => {
    const png = Buffer.from(await encodePng(image))
    const content = [
      { type: 'text', text: instruction },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${png.toString('base64')}` } },
    ]
    const settings = { temperature, seed, max_tokens: maxTokens }
    const picture = createHash('sha256').update(png).digest('hex')
    const question = { model: options.model, instruction, picture, ...settings }
    const check = (kept: unknown) => (typeof kept === 'string' && kept !== '' ? kept : undefined)
    const { answer } = await cachedAnswer(options, question, check, () =>
      askEndpoint(options, { messages: [{ role: 'user', content }], ...settings }, readSentence, run),
    )
    return answer
  }
}

// One line, without quotes around it.
function readSentence(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const caption = lines[0]?.trim().replace(/^["'“](.*)["'”]$/, '$1')
  if (lines.length === 1 && caption) return caption
  throw new LanguageModelError('malformed', {
    rule: 'a captioning model answers with one sentence',
    got: excerpt(text),
    mend: 'Say so in the instruction, or use a model that follows it.',
  })
}
