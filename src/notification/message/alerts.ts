/** Alerts as they come in, and as templates see them. */
import { createHash } from 'node:crypto'
import { isObject } from '../../apimachinery/json/index.js'
import { FIELDS, type TemplateValue } from '../template/index.js'

export type Labels = Readonly<Record<string, string>>

/** `startsAt` and `endsAt` are RFC 3339; the zero time of Go when there is none. */
export interface Alert {
  id: string
  status: string
  labels: Labels
  annotations: Labels
  startsAt: string
  endsAt: string
}

export const NO_TIME = '0001-01-01T00:00:00Z'

/** @returns undefined for what is no alert at all */
export function alertOf(value: unknown, cluster: string): Alert | undefined {
  if (!isObject(value)) return undefined
  const labels = texts(value['labels'])
  if (!labels['cluster']) labels['cluster'] = cluster
  const status = textOf(value['status'])
  const startsAt = textOf(value['startsAt']) || NO_TIME
  const id = createHash('sha256')
    .update(JSON.stringify([Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)), status, startsAt]))
    .digest('hex')
    .slice(0, 32)
  const annotations = texts(value['annotations'])
  return { id, status, labels, annotations, startsAt, endsAt: textOf(value['endsAt']) || NO_TIME }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

function texts(value: unknown): Record<string, string> {
  if (!isObject(value)) return {}
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, text]) => (typeof text === 'string' ? [[key, text]] : [])),
  )
}

export interface Data {
  alerts: readonly Alert[]
  groupLabels: Labels
  commonLabels: Labels
  commonAnnotations: Labels
}

/** @param groupLabels names; those that an alert lacks count as empty */
export function groups(
  alerts: readonly Alert[],
  groupLabels: readonly string[],
): ReadonlyMap<string, Alert[]> {
  const byKey = new Map<string, Alert[]>()
  for (const alert of alerts) {
    const key = JSON.stringify(groupLabels.map((name) => alert.labels[name] ?? ''))
    const group = byKey.get(key)
    if (group) group.push(alert)
    else byKey.set(key, [alert])
  }
  return byKey
}

export function dataOf(alerts: readonly Alert[], groupLabels: readonly string[]): Data {
  const [first] = alerts
  const given = groupLabels.map((name) => [name, first?.labels[name] ?? ''] as const)
  return {
    alerts,
    groupLabels: Object.fromEntries(given.filter(([, value]) => value !== '')),
    commonLabels: common(alerts.map(({ labels }) => labels)),
    commonAnnotations: common(alerts.map(({ annotations }) => annotations)),
  }
}

function common([first = {}, ...others]: readonly Labels[]): Labels {
  return Object.fromEntries(
    Object.entries(first).filter(
      ([key, value]) => value !== '' && others.every((other) => other[key] === value),
    ),
  )
}

/** What templates of the original find: `.Alerts.Firing`, `.Labels.SortedPairs`, `.Message`, ... */
export function templateData(data: Data): TemplateValue {
  const alerts = data.alerts.map(templateAlert)
  const statuses = new Set(data.alerts.map(({ status }) => status))
  const [only = ''] = statuses
  const status = statuses.size === 1 && (only === 'firing' || only === 'resolved') ? only : ''
  const list = Object.assign([...alerts], {
    [FIELDS]: (name: string): unknown =>
      name === 'Firing' || name === 'Resolved'
        ? alerts.filter((_, position) => data.alerts[position]?.status === name.toLowerCase())
        : undefined,
  })
  return known({
    Alerts: list,
    GroupLabels: templateLabels(data.groupLabels),
    CommonLabels: templateLabels(data.commonLabels),
    CommonAnnotations: templateLabels(data.commonAnnotations),
    Status: status,
    Receiver: '',
    ExternalURL: '',
  })
}

function templateAlert({ id, status, labels, annotations, startsAt, endsAt }: Alert): TemplateValue {
  const { message, summary, summaryCn } = annotations
  return known({
    ID: id,
    Fingerprint: id,
    Status: status,
    Labels: templateLabels(labels),
    Annotations: templateLabels(annotations),
    StartsAt: time(startsAt),
    EndsAt: time(endsAt),
    GeneratorURL: '',
    Message: message || summary || summaryCn || '',
    MessageCN: summaryCn || message || summary || '',
  })
}

const known = (fields: Record<string, unknown>): TemplateValue => ({
  [FIELDS]: (name) => (Object.hasOwn(fields, name) ? fields[name] : undefined),
})

const HIDDEN = new Set(['rule_id'])
const NO_DETAILS = new Set(['rule_id', 'runbook_url', 'message', 'summary', 'summary_cn', 'summaryCn'])

/** A map of labels: a label that is not there is empty text. */
function templateLabels(labels: Labels): TemplateValue {
  const pairs = Object.keys(labels)
    .filter((name) => !HIDDEN.has(name))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map((Name) => ({ Name, Value: labels[Name] ?? '' }))
  return {
    [FIELDS](name) {
      if (name === '') return labels
      if (name === 'SortedPairs') return pairList(pairs)
      if (name === 'Names') return pairs.map(({ Name }) => Name)
      if (name === 'Values') return pairs.map(({ Value }) => Value)
      if (name === 'Remove')
        return (names: unknown) => {
          const gone = new Set(Array.isArray(names) ? names : [names])
          return templateLabels(Object.fromEntries(Object.entries(labels).filter(([key]) => !gone.has(key))))
        }
      return Object.hasOwn(labels, name) ? labels[name] : ''
    },
  }
}

interface Pair {
  Name: string
  Value: string
}

function pairList(pairs: readonly Pair[]): Pair[] {
  const without = (names: ReadonlySet<string>): Pair[] =>
    pairList(pairs.filter(({ Name }) => !names.has(Name)))
  return Object.assign([...pairs], {
    [FIELDS]: (name: string): unknown => {
      if (name === 'Filter') return (...names: string[]) => without(new Set(names))
      if (name === 'DefaultFilter') return without(NO_DETAILS)
      if (name === 'Names') return pairs.map(({ Name }) => Name)
      if (name === 'Values') return pairs.map(({ Value }) => Value)
      return undefined
    },
  })
}

const rank = (name: string): number => (name === 'alertname' ? 0 : 1)

/** Prints as Go prints a time, and is formatted by example. */
function time(text: string): TemplateValue {
  const date = new Date(text)
  const two = (value: number): string => String(value).padStart(2, '0')
  const format = (layout: string): string =>
    layout
      .replace('2006', String(date.getUTCFullYear()).padStart(4, '0'))
      .replace('01', two(date.getUTCMonth() + 1))
      .replace('02', two(date.getUTCDate()))
      .replace('15', two(date.getUTCHours()))
      .replace('04', two(date.getUTCMinutes()))
      .replace('05', two(date.getUTCSeconds()))
      .replace(/Z07:00|MST/, (zone) => (zone === 'MST' ? 'UTC' : 'Z'))
      .replace('-0700', '+0000')
  const value = Object.create({ toString: () => format('2006-01-02 15:04:05 -0700 MST') }) as TemplateValue
  value[FIELDS] = (name) => {
    if (name === 'Format') return (layout: unknown) => format(String(layout))
    if (name === 'Unix') return Math.floor(date.getTime() / 1_000)
    if (name === 'IsZero') return text === NO_TIME
    if (name === 'Local' || name === 'UTC') return value
    return undefined
  }
  return value
}
