/** Query parameters of API requests, checked as the genuine server checks them. */
import { badRequest, invalid, type FieldFault } from '../../apimachinery/errors/index.js'
import {
  forbiddenField,
  goStrings,
  required,
  tooLongValue,
  unsupportedValue,
} from '../../apimachinery/errors/faults.js'
import { type FieldValidation, type WriteOptions } from '../registry/writeoptions.js'
import { type Exchange } from './exchange.js'

/** @throws StatusError 400 */
export function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (/^[+-]?\d{1,18}$/.test(text)) return Number(text)
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
}

const MANAGER_LIMIT = 128

/** The field manager of a request that names none: the client's name. */
function managerFromUserAgent(userAgent: string): string {
  const name = userAgent.split('/')[0] ?? ''
  const printable = [...name].filter((letter) => letter >= ' ' && letter !== '\u007f').join('')
  return printable.slice(0, MANAGER_LIMIT) || 'unknown'
}

export type WriteKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions'

/** @throws StatusError 422 for `dryRun` with anything but `All` */
export function isDryRun(given: readonly string[], kind: WriteKind): boolean {
  if (given.length === 0) return false
  if (given.every((text) => text === 'All')) return true
  throw invalid({ group: 'meta.k8s.io', kind }, '', [unsupportedValue('dryRun', goStrings(given), ['All'])])
}

/**
 * @param apply server-side apply, which needs a manager
 * @throws StatusError 422
 */
export function writeOptions(
  exchange: Exchange,
  kind: WriteKind,
  subresource: string,
  apply = false,
): WriteOptions & { force: boolean } {
  const { query } = exchange
  const faults: FieldFault[] = []
  const manager = query.get('fieldManager') ?? ''
  if (apply && manager === '') {
    faults.push(required('fieldManager', 'is required for apply patch'))
  }
  if (Buffer.byteLength(manager) > MANAGER_LIMIT) {
    faults.push(tooLongValue('fieldManager', MANAGER_LIMIT))
  }
  if (!apply && kind === 'PatchOptions' && query.has('force')) {
    faults.push(forbiddenField('force', 'may not be specified for non-apply patch'))
  }
  const validation = query.get('fieldValidation') || 'Warn'
  if (!['Ignore', 'Warn', 'Strict'].includes(validation)) {
    faults.push(unsupportedValue('fieldValidation', validation, ['Ignore', 'Strict', 'Warn']))
  }
  if (faults.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', faults)
  return {
    user: exchange.user,
    dryRun: isDryRun(query.getAll('dryRun'), kind),
    fieldManager: manager || managerFromUserAgent(exchange.header('user-agent')),
    fieldValidation: validation as FieldValidation,
    subresource,
    force: query.get('force') !== null && query.get('force') !== 'false' && query.get('force') !== '0',
    warn: (text) => exchange.warn(text),
    caller: exchange,
  }
}
