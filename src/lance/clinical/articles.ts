/** `a` or `an`, as the words after it are spoken: `an 85-years old`, `an AP view`, `an X-ray`, `a PA view`. */
export function articleBefore(words: string): 'a' | 'an' {
  const first = /[\p{L}\p{N}]+/u.exec(words)?.[0] ?? ''
  if (/^\d/.test(first)) return /^(8\d*|11|18)$/.test(first) ? 'an' : 'a'
  if (/^(x|xray|ap|icd|ng|et|ett)$/i.test(first)) return 'an'
  if (/^(uni|eur|one|use)/i.test(first)) return 'a'
  return /^[aeiou]/i.test(first) ? 'an' : 'a'
}
