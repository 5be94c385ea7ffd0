/** What LANCE changes in a caption: its five kinds, and the weather, which only its code has. */
export const LANCE_KINDS = ['subject', 'object', 'background', 'adjective', 'domain', 'weather'] as const

/** One of LANCE's kinds. */
export type LanceKind = (typeof LANCE_KINDS)[number]

const what: Readonly<Record<LanceKind, string>> = {
  subject: 'Change who or what the picture is of, and nothing else.',
  object: 'Change one thing that the subject uses, holds or acts on, and nothing else.',
  background: 'Change the place or the background, or add one; the foreground stays.',
  adjective: 'Change one adjective or attribute, or add one, and nothing else.',
  domain: 'Change the kind of picture (photograph, sketch, painting, …), and nothing else.',
  weather: 'Change the weather, or add it, and nothing else.',
}

/** The instruction of a kind; kinds that are not LANCE's are named as they are. */
export function instructionFor(kind: string): string {
  return Object.hasOwn(what, kind) ? what[kind as LanceKind] : `Change the ${kind}, and nothing else.`
}

/** The conversation that asks for structured edits. */
export function structuredMessages(caption: string, kind: string, count: number) {
  return [
    {
      role: 'system',
      content:
        'You write variations of image captions. Each differs from the caption in one thing, keeps all other words as ' +
        'they are, and is grammatical. Answer with JSON alone: {"edits": [{"caption": "…"}]}.',
    },
    { role: 'user', content: `${instructionFor(kind)}\nWrite ${count} variations.\nCaption: ${caption}` },
  ]
}

/** The frame that LANCE's fine-tuned model expects: instruction, input, variations. */
export function lanceMessages(caption: string, kind: string, count: number) {
  const task = `Write ${count} variations of the caption. ${instructionFor(kind)}`
  return [{ role: 'user', content: `### Instruction:\n${task}\n\n### Input:\n${caption}\n\n### Variations:` }]
}
