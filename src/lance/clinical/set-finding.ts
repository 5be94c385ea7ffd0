import type {
  ClinicalCaption,
  ClinicalFinding,
  FindingName,
  FindingWording,
  HeadPiece,
} from './attributes.js'
import { findingWords, listWords } from './finding-words.js'
import { isDevice } from './lexicon.js'
import { dropNormal } from './set-head.js'

// Words that lead to findings, told and denied alike.
const keptLinks = new Set(
  'with showing shows demonstrating demonstrates revealing reveals having depicting displaying exhibiting'.split(
    ' ',
  ),
)

/**
 * The words of a caption with one finding said otherwise; all other findings keep their words.
 *
 * @param caption - as it was read
 * @param name - which finding
 * @param to - how it is now; `null` leaves it out
 */
export function withFinding(caption: ClinicalCaption, name: FindingName, to: ClinicalFinding | null): string {
  const { wording } = caption
  const gone = to?.present === true && !isDevice(name) ? 'no finding' : undefined
  const rows = caption.findings
    .map((finding, i) => ({ finding, wording: wording.findings[i] }))
    .filter(({ finding, wording: worded }) => worded !== undefined && finding.name !== gone)
  const isListed = rows.some(({ finding }) => finding.name === name)
  const next = rows.flatMap((row) => {
    if (row.finding.name !== name) return [row]
    return to === null ? [] : [{ finding: to, wording: row.wording && { ...row.wording, whole: false } }]
  })
  if (!isListed && to !== null) next.push({ finding: to, wording: undefined })
  const head = gone ? dropNormal(wording.head) : wording.head
  return textOf(head) + clauseOf(caption, next) + wording.end
}

interface Row {
  readonly finding: ClinicalFinding
  readonly wording: FindingWording | undefined
}

function clauseOf({ findings, wording }: ClinicalCaption, ordered: readonly Row[]): string {
  if (ordered.length === 0) return ''
  // Out of "without A or B", what is told comes first: "with B and no A" leaves no doubt.
  const isShared = wording.findings.some(({ whole }) => !whole)
  const isTold = ({ finding }: Row) => finding.present && finding.name !== 'no finding'
  const rows = isShared ? [...ordered.filter(isTold), ...ordered.filter((row) => !isTold(row))] : ordered
  const items = rows.map(({ finding, wording: worded }) =>
    worded?.whole ? worded.text : findingWords(finding, worded),
  )
  // "Showing" tells what is there: with a denial it gives way, unless it led to one before.
  const denies = (list: readonly ClinicalFinding[]) =>
    list.some(({ present, name }) => !present || name === 'no finding')
  const isTelling = /^showing$/i.test(wording.link) && !denies(findings)
  const keeps =
    keptLinks.has(wording.link.toLowerCase()) && !(isTelling && denies(rows.map(({ finding }) => finding)))
  const link = keeps ? wording.link : 'with'
  const [between, last] = wording.joints
  const isBareList = last === ', ' && !(isTelling && keeps) && items.length > 2
  return ` ${link.toLowerCase()} ${listWords(items, [between, isBareList ? ' and ' : last])}`
}

const textOf = (head: readonly HeadPiece[]) => head.map(({ text }) => text).join('')
