/** LoginRecords: one object per login, good or bad, of an account that exists. Written behind the login's back. */
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
  /** Returns at once; a record that cannot be written is logged. */
  record(user: string, spec: LoginRecordSpec): void
}

/** Written at once; more are dropped, so that a flood of logins cannot become a flood of writes. */
const MAX_IN_FLIGHT = 32
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
    record(user, spec) {
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
      create(LOGIN_RECORDS_PATH, record)
        .catch((error: unknown) => logger.error({ user, error }, 'login record could not be written'))
        .finally(() => inFlight--)
    },
  }
}
