/**
 * What functions and aggregations take, as of Prometheus 2.42: `?` may be left out, `*` may be repeated or left out.
 *
 * Later ones are left out on purpose: a ruler that does not know one refuses all rules with it. So is `holt_winters`,
 * which later ones no longer know.
 */

export type ValueType = 'scalar' | 'vector' | 'matrix' | 'string'

export interface Signature {
  takes: readonly ValueType[]
  /** How many of them must be there. */
  least: number
  /** The last may be repeated. */
  isOpen: boolean
  gives: ValueType
}

const TYPES: Readonly<Record<string, ValueType>> = { s: 'scalar', v: 'vector', m: 'matrix', t: 'string' }

function signature(text: string): Signature {
  const [takes = '', gives = 'v'] = text.split('>')
  const optional = takes.replaceAll(/[a-z]/g, '').length
  const types = [...takes.replaceAll(/[?*]/g, '')].map((letter) => TYPES[letter] ?? 'vector')
  return {
    takes: types,
    least: types.length - optional,
    isOpen: takes.endsWith('*'),
    gives: TYPES[gives] ?? 'vector',
  }
}

const BY_SIGNATURE: Readonly<Record<string, string>> = {
  m:
    'absent_over_time avg_over_time changes count_over_time delta deriv idelta increase irate last_over_time ' +
    'max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time',
  v:
    'abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor histogram_count histogram_sum ln log10 ' +
    'log2 rad sgn sin sinh sort sort_desc sqrt tan tanh timestamp',
  'v?': 'day_of_month day_of_week day_of_year days_in_month hour minute month year',
  vss: 'clamp',
  vs: 'clamp_max clamp_min',
  sv: 'histogram_quantile',
  ssv: 'histogram_fraction',
  'vttt*': 'label_join',
  vtttt: 'label_replace',
  ms: 'predict_linear',
  sm: 'quantile_over_time',
  'vs?': 'round',
  'v>s': 'scalar',
  s: 'vector',
  '>s': 'pi time',
}

export const FUNCTIONS: ReadonlyMap<string, Signature> = new Map(
  Object.entries(BY_SIGNATURE).flatMap(([text, names]) =>
    names.split(' ').map((name) => [name, signature(text)] as const),
  ),
)

/** Those that take a parameter before the vector. */
export const AGGREGATIONS: ReadonlyMap<string, ValueType | undefined> = new Map<
  string,
  ValueType | undefined
>([
  ...'avg count group max min stddev stdvar sum'.split(' ').map((name) => [name, undefined] as const),
  ['bottomk', 'scalar'],
  ['count_values', 'string'],
  ['quantile', 'scalar'],
  ['topk', 'scalar'],
])
