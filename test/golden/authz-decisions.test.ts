/**
 * Every recorded authorization decision, made again from the recorded objects without a server. Allowed is
 * whatever the original did not answer with 401 or 403.
 */
import { describe, expect, it } from 'vitest'
import { type KubeObject, type UserInfo, ANONYMOUS } from '../../src/apimachinery/meta/types.js'
import { attributesOf, createAuthorization } from '../../src/authorization/index.js'
import { parseTarget } from '../../src/serving/path.js'
import { parseRequestInfo } from '../../src/serving/requestinfo.js'
import { LiteralInformers } from '../fixtures/informers.js'
import { silent } from '../fixtures/logger.js'
import { entriesOf, HAVE_GOLDEN, readGolden, WITHOUT_GOLDEN } from './shared.js'

type State = Record<string, { items: KubeObject[] }>

describe.skipIf(!HAVE_GOLDEN)(
  `recorded authorization decisions${HAVE_GOLDEN ? '' : `, ${WITHOUT_GOLDEN}`}`,
  () => {
    const entries = HAVE_GOLDEN ? entriesOf('authz') : []
    const state = HAVE_GOLDEN ? readGolden<State>('state.json') : {}
    const informers = LiteralInformers.from(state)
    const { authorizer } = createAuthorization({ mode: 'RBAC', informers, logger: silent })

    const userNamed = (name: string | null): UserInfo => {
      if (name === null) return ANONYMOUS
      const user = state['/apis/iam.kubesphere.io/v1alpha2/users']?.items.find(
        (item) => item.metadata.name === name,
      )
      const { groups = [] } = (user?.spec ?? {}) as { groups?: string[] }
      return { name, groups: [...groups, 'system:authenticated'] }
    }

    it('covers all 198', () => {
      expect(entries).toHaveLength(198)
    })

    it.each(entries.map((entry) => [entry.id, entry] as const))('%s', async (_, { request, response }) => {
      const { path, search } = parseTarget(request.path)
      const query = new URLSearchParams(search)
      const info = parseRequestInfo({ method: request.method, path, query, sourceIP: '', userAgent: '' })

      const decision = await authorizer.authorize(attributesOf(info, userNamed(request.user)))
      const explained = await authorizer.explain(attributesOf(info, userNamed(request.user)))

      expect(decision.allowed).toBe(response.status !== 401 && response.status !== 403)
      expect(explained.allowed).toBe(decision.allowed)
      if (decision.allowed) expect(explained.explanation.rule).toBeDefined()
    })
  },
)
