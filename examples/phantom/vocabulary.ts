import type { Tokenizer } from 'contrafact/core'
import type { TokenizerFiles } from 'contrafact/models'
import { loadClipTokenizer, trainBpe } from 'contrafact/text'
import { allCaptions } from './captions.js'

/** A vocabulary of the captions' words; any other word is spelt in bytes, as in CLIP's. */
export function phantomTokenizer(): { readonly files: TokenizerFiles; readonly tokenizer: Tokenizer } {
  const { vocab, merges } = trainBpe(allCaptions(), { merges: 400 })
  const roles = {
    bos_token: '<|startoftext|>',
    eos_token: '<|endoftext|>',
    pad_token: '<|endoftext|>',
    unk_token: '<|endoftext|>',
  }
  const files = {
    vocab,
    merges,
    specialTokensMap: roles,
    tokenizerConfig: {
      ...roles,
      model_max_length: 77,
      tokenizer_class: 'CLIPTokenizer',
      do_lower_case: true,
    },
  }
  return { files, tokenizer: loadClipTokenizer(files) }
}
