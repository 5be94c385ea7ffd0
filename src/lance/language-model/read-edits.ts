import { z } from 'zod'
import { LanguageModelError } from './language-model-error.js'
import { excerpt, parseJson } from './request.js'

/** What a model is asked to answer with. */
export const editsSchema = z.object({ edits: z.array(z.object({ caption: z.string().min(1) })).min(1) })

/** The same as a JSON schema, for `response_format`. */
export const editsFormat = {
  type: 'json_schema',
  json_schema: {
    name: 'edits',
    strict: true,
    schema: {
      type: 'object',
      properties: {
        edits: {
          type: 'array',
          items: {
            type: 'object',
            properties: { caption: { type: 'string' } },
            required: ['caption'],
            additionalProperties: false,
          },
        },
      },
      required: ['edits'],
      additionalProperties: false,
    },
  },
} as const

/**
 * The captions of a structured answer, alone or in a fenced block.
 *
 * @throws LanguageModelError `'malformed'` on prose, on JSON of another form, and on a broken answer
 */
export function readEdits(text: string): string[] {
  const fenced = /```(?:json)?\s*([\s\S]*?)```/.exec(text)?.[1] ?? text
  const parsed = editsSchema.safeParse(parseJson(fenced.trim()))
  if (parsed.success)
    return parsed.data.edits.map(({ caption }) => caption.trim()).filter((caption) => caption !== '')
  throw malformed('{ "edits": [{ "caption": "…" }] }', text, parsed.error)
}

/**
 * The captions of an answer in the list format of LANCE (2023), with its habits: what stands after `### Variations:`,
 * line by line; a line that begins with a digit loses its first word; of one with a full stop in second or third place
 * the part up to the next full stop is kept; others are kept if they have more than five characters.
 *
 * LANCE shuffles the list without a seed; here it keeps its order.
 *
 * @throws LanguageModelError `'malformed'` when no line is left
 */
export function readLanceList(text: string): string[] {
  const list = text.split('### Variations:').at(-1)!
  const captions = list.split('\n').flatMap((raw) => {
    const line = raw.trim()
    if (/^\d/.test(line)) return [line.split(' ').slice(1).join(' ').trim()]
    if (line[1] === '.' || line[2] === '.') return [line.split('.')[1]!.trim()]
    return line.length > 5 ? [line] : []
  })
  const kept = captions.filter((caption) => caption !== '')
  if (kept.length > 0) return kept
  throw malformed('a list with one caption on each line', text)
}

function malformed(form: string, text: string, cause?: unknown): LanguageModelError {
  return new LanguageModelError('malformed', {
    rule: `a language model that perturbs captions answers with ${form}`,
    got: excerpt(text),
    mend: 'Use a model that follows a schema, or try again with another seed.',
    cause,
  })
}
