/** Formats of strings that CRD validation checks; all others are ignored, as kube-apiserver does. */
import { isIP, isIPv4, isIPv6 } from 'node:net'
import { parseTime } from '../../meta/time.js'

type Check = (text: string) => boolean

const matches =
  (pattern: RegExp): Check =>
  (text) =>
    pattern.test(text)

const isDate: Check = (text) => /^\d{4}-\d\d-\d\d$/.test(text) && parseTime(`${text}T00:00:00Z`) !== undefined

const uuid = (version: string): Check =>
  matches(new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$`, 'i'))

const CIDR: Check = (text) => {
  const [address = '', bits = '', ...rest] = text.split('/')
  const family = isIP(address)
  return (
    rest.length === 0 && family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
  )
}

const isUri: Check = (text) => {
  if (text.startsWith('/')) return !/\s/.test(text)
  try {
    return new URL(text).protocol !== ''
  } catch {
    return false
  }
}

const HOSTNAME =
  /^([a-zA-Z0-9_]([-a-zA-Z0-9_]{0,61}[a-zA-Z0-9_])?)(\.[a-zA-Z0-9_]([-a-zA-Z0-9_]{0,61}[a-zA-Z0-9_])?)*\.?$/
const DURATION =
  /^[+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w)((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w))*$/
const LONG_DURATION =
  /^\d+(\.\d+)?\s*(nanoseconds?|microseconds?|milliseconds?|seconds?|minutes?|hours?|days?|weeks?|nano|micro|milli|secs?|mins?|hrs?|ns|us|µs|ms|s|m|h|d|w)$/i

const CHECKS: Readonly<Record<string, Check>> = {
  byte: matches(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/),
  date: isDate,
  datetime: (text) => parseTime(text.toUpperCase()) !== undefined,
  duration: (text) => text === '0' || DURATION.test(text) || LONG_DURATION.test(text),
  email: matches(/^[^\s@<>]+@[^\s@<>]+$/),
  hostname: (text) => text.length <= 255 && HOSTNAME.test(text),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: CIDR,
  mac: matches(/^([0-9a-f]{2}([:-])[0-9a-f]{2}(\2[0-9a-f]{2}){4}|([0-9a-f]{4}\.){2}[0-9a-f]{4})$/i),
  uri: isUri,
  uuid: uuid('[0-9a-f]'),
  uuid3: uuid('3'),
  uuid4: uuid('4'),
  uuid5: uuid('5'),
  hexcolor: matches(/^#?([0-9a-f]{3}|[0-9a-f]{6})$/i),
  bsonobjectid: matches(/^[0-9a-f]{24}$/i),
  password: () => true,
}

/** @returns undefined for a format that is not checked */
export function formatCheck(format: string | undefined): Check | undefined {
  const name = format?.replaceAll('-', '') ?? ''
  return Object.hasOwn(CHECKS, name) ? CHECKS[name] : undefined
}
