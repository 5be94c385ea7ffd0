import { z } from 'zod'
import { CheckpointError, type Tokenizer } from '../core/index.js'
import { endOfWord } from './byte-alphabet.js'
import { clipTokenizer } from './clip-tokenizer.js'
import type { Merge } from './vocabulary.js'

/** The contents of a diffusers `tokenizer/` folder, parsed but not checked; leave out what the folder lacks. */
export interface ClipTokenizerFiles {
  /** `vocab.json`. */
  readonly vocab?: unknown
  /** `merges.txt`. */
  readonly merges?: string | undefined
  /** `special_tokens_map.json`; where it names a token, it wins over `tokenizer_config.json`. */
  readonly specialTokensMap?: unknown
  /** `tokenizer_config.json`. */
  readonly tokenizerConfig?: unknown
  /** `tokenizer.json`, which newer folders have in place of `vocab.json` and `merges.txt`. */
  readonly tokenizerJson?: unknown
}

const text = z.string().min(1)
const special = z.union([text, z.object({ content: text, normalized: z.boolean().optional() })])
const roles = z.object({
  bos_token: special.nullish(),
  eos_token: special.nullish(),
  unk_token: special.nullish(),
  pad_token: special.nullish(),
})
const id = z.int().nonnegative()
const vocabulary = z.record(z.string(), id)
const added = z.object({ content: text, normalized: z.boolean().optional() })
const config = roles.extend({
  model_max_length: z.number().nullish(),
  added_tokens_decoder: z.record(z.string(), added).nullish(),
})
const merge = z.union([z.tuple([z.string(), z.string()]), z.string()])
const fast = z.object({
  added_tokens: z.array(added.extend({ id })).nullish(),
  model: z.object({
    type: z.literal('BPE').optional(),
    end_of_word_suffix: z.literal(endOfWord),
    vocab: vocabulary,
    merges: z.array(merge),
  }),
})

/**
 * The tokenizer of a checkpoint, from the contents of its files.
 *
 * Takes the special tokens as transformers does: `special_tokens_map.json` first, so that Stable Diffusion 2
 * pads with `!` (id 0) although its `tokenizer_config.json` says `<|endoftext|>`. The length is the config's
 * `model_max_length` where that is a real length, else 77.
 *
 * @param files - parsed contents; this function reads no file
 * @throws CheckpointError when a file is missing, has another form, or is not a CLIP tokenizer's
 */
export function loadClipTokenizer(files: ClipTokenizerFiles): Tokenizer {
  const json = read('tokenizer.json', fast.optional(), files.tokenizerJson)
  const map = read('special_tokens_map.json', roles, files.specialTokensMap ?? {})
  const settings = read('tokenizer_config.json', config, files.tokenizerConfig ?? {})
  const vocab = files.vocab === undefined ? json?.model.vocab : read('vocab.json', vocabulary, files.vocab)
  const merges = files.merges ?? json?.model.merges.map(asPair)
  if (vocab === undefined || merges === undefined) {
    throw new CheckpointError({
      rule: 'a CLIP tokenizer is vocab.json with merges.txt, or tokenizer.json',
      got: `neither tokenizer.json nor ${vocab === undefined ? 'vocab.json' : 'merges.txt'}`,
      mend: 'Download the whole tokenizer folder of the checkpoint.',
    })
  }
  const decoder = Object.entries(settings.added_tokens_decoder ?? {})
  const length = settings.model_max_length ?? Number.POSITIVE_INFINITY
  return clipTokenizer({
    vocab,
    merges,
    padToken: map.pad_token ?? settings.pad_token ?? undefined,
    specialTokens: {
      bos: map.bos_token ?? settings.bos_token ?? undefined,
      eos: map.eos_token ?? settings.eos_token ?? undefined,
      unk: map.unk_token ?? settings.unk_token ?? undefined,
    },
    addedTokens: [
      ...decoder.map(([key, token]) => ({ ...token, id: Number(key) })),
      ...(json?.added_tokens ?? []),
    ],
    // transformers writes 1e30 where it knows no length.
    maxLength: length < 1e6 ? length : 77,
  })
}

function asPair(merge: string | [string, string]): Merge {
  if (typeof merge !== 'string') return merge
  const space = merge.indexOf(' ')
  return [merge.slice(0, space), merge.slice(space + 1)]
}

function read<T>(file: string, schema: z.ZodType<T>, content: unknown): T {
  const result = schema.safeParse(content)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new CheckpointError({
    rule: `${file} has the form that CLIP tokenizers have`,
    got: `${issue?.message ?? 'another form'} at ${issue?.path.join('.') || 'the top level'}`,
    mend: 'Check that the file belongs to a CLIP tokenizer and was downloaded whole.',
    cause: result.error,
  })
}
