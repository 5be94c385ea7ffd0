import { DEVICES, type FindingName } from './attributes.js'

/** What the grammar knows of one finding. */
export interface FindingEntry {
  /** Its nouns, the preferred one first; a plural stands behind a slash. */
  readonly nouns: readonly string[]
  /** The words of its grades from least to most; empty where a grade makes no sense. */
  readonly grades: readonly string[]
  /** Whether it can be on one side. */
  readonly sided: boolean
  /** Findings that it is a case of: they cannot be denied while it is told. */
  readonly within: readonly FindingName[]
}

const burden = ['mild', 'moderate', 'severe']
const size = ['small', 'moderate', 'large']

const entry = (
  nouns: string,
  grades: readonly string[],
  sided: boolean,
  within: readonly FindingName[] = [],
): FindingEntry => ({ nouns: nouns.split(', '), grades, sided, within })

const device = (nouns: string) => entry(nouns, [], false, ['support devices'])

/** Every finding with its words; the hierarchy is CheXpert's. */
export const FINDINGS: Readonly<Record<FindingName, FindingEntry>> = {
  'no finding': entry(
    'findings, finding, abnormality/abnormalities, abnormal findings, abnormal finding, pathology, pathologies, ' +
      'disease, cardiopulmonary disease, cardiopulmonary process, cardiopulmonary abnormality, ' +
      'cardiopulmonary abnormalities, cardiopulmonary findings, cardiopulmonary pathology, process',
    [],
    false,
  ),
  'enlarged cardiomediastinum': entry(
    'enlarged cardiomediastinum, enlarged mediastinum, widened mediastinum, mediastinal widening, ' +
      'cardiomediastinal enlargement, enlarged cardiomediastinal silhouette, widened cardiomediastinal silhouette, ' +
      'mediastinal enlargement, widening of the mediastinum',
    burden,
    false,
  ),
  cardiomegaly: entry(
    'cardiomegaly, enlarged heart, heart enlargement, cardiac enlargement, enlarged cardiac silhouette, ' +
      'enlargement of the heart, enlargement of the cardiac silhouette, enlarged heart size, enlarged heart shadow, ' +
      'cardiac silhouette enlargement, enlarged cardiac shadow',
    burden,
    false,
    ['enlarged cardiomediastinum'],
  ),
  'lung opacity': entry(
    'lung opacity/lung opacities, opacity/opacities, pulmonary opacity/pulmonary opacities, opacification, ' +
      'airspace opacity/airspace opacities, lung opacification, infiltrate/infiltrates, ' +
      'lung infiltrate/lung infiltrates, pulmonary infiltrate/pulmonary infiltrates, infiltration',
    burden,
    true,
  ),
  'lung lesion': entry(
    'lung lesion/lung lesions, lesion/lesions, pulmonary lesion/pulmonary lesions, lung nodule/lung nodules, ' +
      'pulmonary nodule/pulmonary nodules, nodule/nodules, lung mass/lung masses, pulmonary mass/pulmonary masses, ' +
      'mass/masses',
    size,
    true,
    ['lung opacity'],
  ),
  edema: entry(
    'edema, pulmonary edema, oedema, pulmonary oedema, lung edema, lung oedema, interstitial edema, ' +
      'interstitial pulmonary edema',
    burden,
    false,
    ['lung opacity'],
  ),
  consolidation: entry(
    'consolidation/consolidations, lung consolidation/lung consolidations, ' +
      'pulmonary consolidation/pulmonary consolidations, airspace consolidation/airspace consolidations',
    burden,
    true,
    ['lung opacity'],
  ),
  pneumonia: entry('pneumonia, lung infection, pulmonary infection, pneumonic consolidation', burden, true, [
    'lung opacity',
  ]),
  atelectasis: entry(
    'atelectasis, atelectases, atelectatic changes, lung collapse, pulmonary collapse',
    burden,
    true,
    ['lung opacity'],
  ),
  pneumothorax: entry('pneumothorax/pneumothoraces, pneumothoraxes', size, true),
  'pleural effusion': entry(
    'pleural effusion/pleural effusions, effusion/effusions, pleural fluid, pleural fluid collection',
    size,
    true,
  ),
  'pleural other': entry(
    'pleural thickening, pleural other, other pleural abnormality, pleural abnormality/pleural abnormalities, ' +
      'pleural plaque/pleural plaques, pleural disease, pleural scarring',
    burden,
    true,
  ),
  fracture: entry(
    'fracture/fractures, rib fracture/rib fractures, broken rib/broken ribs, fractured rib/fractured ribs, ' +
      'bone fracture/bone fractures, bony fracture/bony fractures',
    [],
    true,
  ),
  'support devices': entry(
    'support devices, support device, medical devices, medical device, supporting devices, supportive devices, ' +
      'life support devices, medical support devices, implanted devices, implanted device, devices, device, ' +
      'lines and tubes, tubes and lines',
    [],
    false,
  ),
  pacemaker: device('pacemaker/pacemakers, cardiac pacemaker, pacemaker leads, pacemaker device, pacer'),
  defibrillator: device('defibrillator, implantable cardioverter defibrillator, cardiac defibrillator, icd'),
  'central line': device(
    'central line/central lines, central venous catheter/central venous catheters, central venous line, ' +
      'picc line, picc, venous catheter, port a cath, line/lines, catheter/catheters',
  ),
  'endotracheal tube': device('endotracheal tube, et tube, ett'),
  'tracheostomy tube': device('tracheostomy tube, tracheostomy'),
  'nasogastric tube': device(
    'nasogastric tube, ng tube, enteric tube, feeding tube, orogastric tube, tube/tubes',
  ),
  'chest tube': device('chest tube/chest tubes, pleural drain, pleural tube, chest drain/chest drains'),
  'sternotomy wires': device('sternotomy wires, sternal wires, median sternotomy wires'),
}

/** Every noun with its finding. */
export const NOUNS: readonly (readonly [noun: string, name: FindingName])[] = (
  Object.keys(FINDINGS) as FindingName[]
).flatMap((name) =>
  FINDINGS[name].nouns.flatMap((noun) => noun.split('/').map((form) => [form, name] as const)),
)

/** The plural of a noun, or the noun where there is none. */
export function pluralOf(noun: string): string {
  return pairWith(noun)?.[1] ?? noun
}

/** The singular of a noun, or the noun where there is none. */
export function singularOf(noun: string): string {
  return pairWith(noun)?.[0] ?? noun
}

/** Whether a finding is a support device or a case of one. */
export function isDevice(name: FindingName): boolean {
  return name === 'support devices' || (DEVICES as readonly string[]).includes(name)
}

function pairWith(noun: string): readonly string[] | undefined {
  const pairs = Object.values(FINDINGS).flatMap(({ nouns }) => nouns.map((forms) => forms.split('/')))
  return pairs.find((forms) => forms.length === 2 && forms.includes(noun.toLowerCase()))
}
