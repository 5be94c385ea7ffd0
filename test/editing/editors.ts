import type { RunOptions } from '../../src/core/index.js'
import { promptToPrompt, promptToPromptMany, refine, replace } from '../../src/editing/index.js'
import type { Inversion } from '../../src/inversion/index.js'
import type { toyModel } from '../inversion/toy-model.js'

type Model = ReturnType<typeof toyModel>

/** Every editor, as a function of what they share; a new one joins the suite by a line here. */
export const editors = {
  refine: (model: Model, path: Inversion, prompt: string, run: RunOptions = {}) =>
    promptToPrompt(model, path, { prompt, control: refine({ reweight: { line: 2 } }), ...run }),
  replace: (model: Model, path: Inversion, prompt: string, run: RunOptions = {}) =>
    promptToPrompt(model, path, { prompt, control: replace(), ...run }),
  localBlend: (model: Model, path: Inversion, prompt: string, run: RunOptions = {}) =>
    promptToPrompt(model, path, {
      prompt,
      control: refine({ localBlend: { source: ['line'], target: ['line'] } }),
      ...run,
    }),
  many: async (model: Model, path: Inversion, prompt: string, run: RunOptions = {}) => {
    const { edits, evaluations } = await promptToPromptMany(model, path, { edits: [{ prompt }], ...run })
    return { ...edits[0]!, evaluations }
  },
} as const
