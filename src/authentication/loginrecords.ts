/**
 * LoginRecords: one object per login, good or bad, of an account that exists.
 *
 * A login waits a moment for its record, so that whoever logs in and looks finds it, but not for an API that is slow.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type KubeObject } from '../apimachinery/meta/types.js'
import { type Logger } from '../serving/log.js'

export const USER_REF_LABEL = 'iam.kubesphere.io/user-ref'
export const LOGIN_RECORDS_PATH = '/apis/iam.kubesphere.io/v1alpha2/loginrecords'

export type LoginType = 'Basic' | 'OAuth' | 'Token'

export interface LoginRecordSpec {
  type: LoginType
  /** "" for local accounts. */
  provider: string
  sourceIP: string
  userAgent: string
  success: boolean
  reason: string
}

export interface LoginRecordObject extends KubeObject {
  spec?: LoginRecordSpec
}

export interface LoginRecords {
  /** Settles when it is written, or after a moment; a record that cannot be written is logged. */
  record(user: string, spec: LoginRecordSpec): Promise<void>
}

/** Written at once; more are dropped, so that a flood of logins cannot become a flood of writes. */
const MAX_IN_FLIGHT = 32
/** Longest wait of a login. */
const PATIENCE_MS = 250
const MAX_USER_AGENT = 1_024
/** Longest label value: users with longer names cannot be referred to. */
const MAX_LABEL = 63

/** @param create creates one object in the collection at `path` */
export function loginRecords(
  create: (path: string, object: KubeObject) => Promise<unknown>,
  logger: Logger,
): LoginRecords {
  let inFlight = 0
  return {
    async record(user, spec) {
      if (user.length > MAX_LABEL) return
      if (inFlight >= MAX_IN_FLIGHT) {
        logger.warn({ user }, 'login record dropped: too many logins at once')
        return
      }
      inFlight++
      const record: KubeObject = {
        apiVersion: 'iam.kubesphere.io/v1alpha2',
        kind: 'LoginRecord',
        metadata: { generateName: `${user}-`, labels: { [USER_REF_LABEL]: user } },
        spec: { ...spec, userAgent: spec.userAgent.slice(0, MAX_USER_AGENT) },
      }
      const written = create(LOGIN_RECORDS_PATH, record)
        .catch((error: unknown) => logger.error({ user, error }, 'login record could not be written'))
        .finally(() => inFlight--)
      const patience = new AbortController()
      const enough = sleep(PATIENCE_MS, undefined, { signal: patience.signal, ref: false })
      await Promise.race([written, enough])
      patience.abort()
      await enough.catch(() => undefined)
    },
  }
}
